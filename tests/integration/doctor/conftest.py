from plugins.job_house import empty_store, house, job_servers

__all__ = ["empty_store", "house", "job_servers"]
