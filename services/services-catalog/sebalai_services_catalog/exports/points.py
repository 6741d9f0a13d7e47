"""Service points in exports: as contact points of CPSV-AP, and in words for SIPPN's column; pure.

CPSV-AP 3.2.0 has opening hours as a temporal entity without parts, and no address at a contact
point: weekdays and times are `sebalai:`, the address hangs on a location (Core Location).
"""

from collections.abc import Iterable, Mapping

from sebalai_services_catalog.linked import Graph, Node, ref, texts, typed
from sebalai_services_catalog.services.actions import Hours, ServicePoint

DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")


def location(graph: Graph, code: str, names: Mapping[str, str]) -> Node:
    """A region of the list, by its Kemendagri code."""
    label = texts(names.get(code, code))
    name = f"urn:sebalai:region:{code}"
    return graph.add(name, ["dct:Location"], dct_identifier=code, skos_prefLabel=label)


def contact_point(
    graph: Graph, service: str, point: ServicePoint, names: Mapping[str, str]
) -> Node:
    """`service` is the name of the service's node."""
    name = f"{service}#point-{point.code}"
    address = graph.add(f"{name}-address", ["locn:Address"], locn_fullAddress=point.address)
    place = graph.add(
        f"{name}-place",
        ["dct:Location"],
        locn_address=address,
        dct_isPartOf=location(graph, point.region, names),
        dcat_centroid=_centroid(point),
    )
    return graph.add(
        name,
        ["cv:ContactPoint"],
        dct_identifier=point.code,
        dct_title=texts(point.name),
        dct_spatial=place,
        cv_openingHours=[_hours(graph, name, n, one) for n, one in enumerate(point.hours)],
        sebalai_channel=[ref(f"{service}#channel-{kind}") for kind in point.channels],
    )


def in_words(points: Iterable[ServicePoint], names: Mapping[str, str]) -> str:
    """Each with its address, region and hours, as SIPPN's readers write them."""
    return "; ".join(
        f"{one.name}, {one.address}, {names.get(one.region, one.region)} ({_times(one.hours)})"
        for one in points
    )


def _times(hours: Iterable[Hours]) -> str:
    return ", ".join(f"{_days(one)} {_dotted(one.opens)}–{_dotted(one.closes)}" for one in hours)


def _days(hours: Hours) -> str:
    return "/".join(DAYS[day - 1] for day in hours.weekdays)


def _dotted(at: str) -> str:
    return at.replace(":", ".")


def _centroid(point: ServicePoint) -> Node | None:
    if point.position is None:
        return None
    return typed("geo:wktLiteral", f"POINT({point.position.longitude} {point.position.latitude})")


def _hours(graph: Graph, name: str, number: int, hours: Hours) -> Node:
    return graph.add(
        f"{name}-hours-{number}",
        ["time:TemporalEntity"],
        sebalai_weekday=list(hours.weekdays),
        sebalai_opens=hours.opens,
        sebalai_closes=hours.closes,
    )
