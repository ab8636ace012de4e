"""The errors of the schema generator, a branch of the tree in ``content_core.errors``.

What is wrong with single templates is no error here but a :class:`schema_gen.model.Finding`, so that one run reports
all of it. The tree::

    GeneratorError               OC600  400  the generator cannot do its work
    ├── NotAnExportError         OC601  400  the path holds no FirstSpirit export at all
    └── EmissionError            OC602  400  the content model cannot become an application definition
"""

from content_core.errors import ServiceError

__all__ = ["EmissionError", "GeneratorError", "NotAnExportError"]


class GeneratorError(ServiceError):
    """The schema generator cannot do its work with what it was given."""

    code = "OC600"
    status = 400


class NotAnExportError(GeneratorError):
    """The path holds no FirstSpirit export: missing, a file, or without a TemplateStore."""

    code = "OC601"


class EmissionError(GeneratorError):
    """The content model cannot become an application definition."""

    code = "OC602"
