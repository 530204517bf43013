from plugins.front_door import house

__all__ = ["house"]
