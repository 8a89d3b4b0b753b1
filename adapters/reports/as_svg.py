"""A drawing as SVG inside HTML: titled for readers who do not see it, and no style or script in it."""

from typing import assert_never

from markupsafe import Markup

from adapters.reports.drawing import Drawing, Label, Line, Rect, Shape

_WHOLE = Markup(
    '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-says">\n'
    '<title id="{name}-title">{title}</title>\n<desc id="{name}-says">{description}</desc>\n{shapes}\n</svg>'
)
_RECT = Markup('<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"{stroke}>{says}</rect>')
_STROKE = Markup(' stroke="{stroke}" stroke-width="0.5"')
_SAYS = Markup("<title>{says}</title>")
_LINE = Markup('<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}"/>')
_TEXT = Markup('<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{text}</text>')


def svg_of(drawing: Drawing) -> Markup:
    """The drawing as an element of HTML; every text in it is escaped."""
    return _WHOLE.format(
        width=_number(drawing.width),
        height=_number(drawing.height),
        name=drawing.name,
        title=drawing.title,
        description=drawing.description,
        shapes=Markup("\n").join(_shape(shape) for shape in drawing.shapes),
    )


def _shape(shape: Shape) -> Markup:
    match shape:
        case Rect():
            return _RECT.format(
                x=_number(shape.x),
                y=_number(shape.y),
                width=_number(shape.width),
                height=_number(shape.height),
                fill=shape.fill,
                stroke=_STROKE.format(stroke=shape.stroke) if shape.stroke else "",
                says=_SAYS.format(says=shape.says) if shape.says else "",
            )
        case Line():
            return _LINE.format(
                x1=_number(shape.x1),
                y1=_number(shape.y1),
                x2=_number(shape.x2),
                y2=_number(shape.y2),
                colour=shape.colour,
                width=_number(shape.width),
            )
        case Label():
            return _TEXT.format(
                x=_number(shape.x),
                y=_number(shape.y),
                size=_number(shape.size),
                anchor=shape.anchor,
                colour=shape.colour,
                text=shape.text,
            )
        case _:
            assert_never(shape)


def _number(length: float) -> str:
    """A length to a hundredth, without needless digits."""
    return f"{length:.2f}".rstrip("0").rstrip(".")
