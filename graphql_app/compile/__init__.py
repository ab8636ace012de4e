"""From a plan to functions of Python that read and shape documents, and the run of these functions."""
