"""What can go wrong with an outside provider; never with words of its own in it."""

from sebalai_shared.problems import Forbidden, NotFound, Problem, Unavailable


class ProviderAway(Unavailable):
    slug, title = "outside-provider-away", "The outside provider does not answer as it should"


class ProviderDistrusted(Problem):
    status, slug, title = 400, "outside-answer-distrusted", "The answer is not the provider's own"


class ProviderDeclined(Forbidden):
    slug, title = "outside-sign-in-declined", "The sign-in was not finished at the provider"


class AttemptUnknown(NotFound):
    slug, title = "outside-attempt-unknown", "This sign-in has ended or was begun elsewhere"
