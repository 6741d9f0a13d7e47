"""What every route of exchange may answer before its own rules are asked: said once."""

from sebalai_shared.problems import Problem, Unauthenticated, responses


class Malformed(Problem):
    """How a route declares the 422 that `sebalai_shared.problems` answers malformed input with."""

    status, slug, title = 422, "malformed", "The input is malformed"


INPUT = responses(Unauthenticated, Malformed)
