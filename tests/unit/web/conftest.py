from plugins.asking import desk, front
from plugins.front_door import house

__all__ = ["desk", "front", "house"]
