from plugins.housecallpro import catching, receiver, server, service

__all__ = ["catching", "receiver", "server", "service"]
