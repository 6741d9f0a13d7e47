"""A stand-in for SP4N-LAPOR!, as our adapter speaks to it: reports kept by our ticket.

The true interface is open to registered developers only; this one invents nothing beyond a PUT
that is safe to repeat. `PUT /reports/{ticket}` answers 401 without the token, 503 while `down`,
422 for a ticket in `refused`.
"""

from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Request

Token = Annotated[str, Header(alias="Authorization")]


def lapor_app(token: str) -> FastAPI:
    app = FastAPI()
    app.state.reports, app.state.calls, app.state.down = {}, [], False
    app.state.refused = set()

    @app.put("/reports/{ticket}")
    async def put_report(ticket: str, request: Request, authorization: Token = "") -> dict:
        app.state.calls.append(ticket)
        if authorization != f"Bearer {token}":
            raise HTTPException(401)
        if app.state.down:
            raise HTTPException(503)
        if ticket in app.state.refused:
            raise HTTPException(422)
        app.state.reports[ticket] = await request.json()
        return {"id": f"L-{list(app.state.reports).index(ticket) + 1}"}

    return app
