from plugins.hook_bench import bench, empty_store
from plugins.housecallpro import catching, receiver
from plugins.job_house import house, job_servers

__all__ = ["bench", "catching", "empty_store", "house", "job_servers", "receiver"]
