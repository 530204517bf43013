from plugins.asking import counter
from plugins.job_house import job_servers

__all__ = ["counter", "job_servers"]
