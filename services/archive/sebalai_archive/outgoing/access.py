"""Who may do what with an outgoing letter, as pure functions.

The one who drafts, the ones who verify and the one who signs are different persons; a letter that
one person alone can write, approve and sign is how authority is abused.
"""

from sebalai_shared.caller import Caller

from sebalai_archive.outgoing.model import OutgoingLetter

WRITE = "archive.write"


def may_draft(caller: Caller) -> bool:
    return caller.agency is not None and caller.has_scope(WRITE)


def is_drafter(caller: Caller, letter: OutgoingLetter) -> bool:
    return caller.subject == letter.drafter


def is_next_verifier(caller: Caller, letter: OutgoingLetter) -> bool:
    waiting = letter.verifiers[letter.verified :]
    return bool(waiting) and caller.subject == waiting[0]


def is_signer(caller: Caller, letter: OutgoingLetter) -> bool:
    return caller.subject == letter.signer["subject"]


def may_return(caller: Caller, letter: OutgoingLetter) -> bool:
    return is_next_verifier(caller, letter) or is_signer(caller, letter)


def one_person_twice(drafter: str, verifiers: list[str], signer: str) -> str | None:
    """The field that names a person who has another part already; None when all differ."""
    if signer == drafter:
        return "/signer/subject"
    if len({drafter, signer, *verifiers}) != 2 + len(verifiers):
        return "/verifiers"
    return None
