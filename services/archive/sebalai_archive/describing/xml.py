"""XML by elements, never by pasted text; what XML 1.0 cannot carry is left out."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XLINK = "http://www.w3.org/1999/xlink"

# Char of XML 1.0 (fifth edition), production 2, is what may stay.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    return _ILLEGAL.sub("", text)


class Names:
    """Writes elements of one namespace."""

    def __init__(self, prefix: str, uri: str) -> None:
        ET.register_namespace(prefix, uri)
        self.prefix, self.uri = prefix, uri

    def root(self, name: str, **attributes: str) -> ET.Element:
        return ET.Element(f"{{{self.uri}}}{name}", _cleaned(attributes))

    def add(
        self,
        parent: ET.Element,
        name: str,
        text: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> ET.Element:
        """An element below `parent`; attributes of other namespaces as `{uri}name`."""
        made = ET.SubElement(parent, f"{{{self.uri}}}{name}", _cleaned(attributes or {}))
        if text is not None:
            made.text = clean(text)
        return made

    def add_if(self, parent: ET.Element, name: str, text: str | None) -> None:
        if text:
            self.add(parent, name, text)


def located(element: ET.Element, *pairs: str) -> None:
    """Names the schemas of the element: namespace, address, namespace, address."""
    element.set(f"{{{XSI}}}schemaLocation", " ".join(pairs))


def written(root: ET.Element) -> bytes:
    """UTF-8 with its declaration."""
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _cleaned(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name: clean(value) for name, value in attributes.items()}


ET.register_namespace("xsi", XSI)
ET.register_namespace("xlink", XLINK)
