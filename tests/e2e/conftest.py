from plugins.outsider import business, empty_state, sandbox

__all__ = ["business", "empty_state", "sandbox"]
