"""Places: division codes, names and boundaries, for China's divisions and for any country's own districts.

`china.china_gazetteer` and `geojson.geojson_gazetteer` make one from data; `places.TableGazetteer` is what both
make. What does not belong here: whether an agency may speak for a place (domain.remit).
"""

from adapters.gazetteer.china import china_gazetteer
from adapters.gazetteer.errors import GazetteerError
from adapters.gazetteer.geojson import geojson_gazetteer, read_boundaries
from adapters.gazetteer.places import TableGazetteer
from adapters.gazetteer.tree import ExtraPlace
from adapters.gazetteer.villages import read_villages

__all__ = [
    "ExtraPlace",
    "GazetteerError",
    "TableGazetteer",
    "china_gazetteer",
    "geojson_gazetteer",
    "read_boundaries",
    "read_villages",
]
