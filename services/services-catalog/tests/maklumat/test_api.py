from sebalai_shared.testing.http import system

BODY = {
    "text_id": "Dengan ini kami sanggup menyelenggarakan pelayanan sesuai standar.",
    "signer": "Nama Pejabat", "signer_position": "Kepala DPMPTSP", "signed_on": "2026-01-05",
}  # fmt: skip


async def test_one_maklumat_is_current_and_the_earlier_stays_readable(loaded, client_of, anonymous):
    head = client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))
    assert (await head.put("/v1/maklumat/dpmptsp", json=BODY)).status_code == 200
    assert (await head.put("/v1/maklumat/dpmptsp", json=BODY | {"signer": "B"})).status_code == 200
    rows = (await anonymous.get("/v1/maklumat/dpmptsp")).json()
    assert [(row["signer"], row["replaced_at"] is None) for row in rows] == [
        ("B", True),
        ("Nama Pejabat", False),
    ]


async def test_the_same_maklumat_again_is_one_maklumat(loaded, client_of, anonymous):
    head = client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))
    first = (await head.put("/v1/maklumat/dpmptsp", json=BODY)).json()
    assert (await head.put("/v1/maklumat/dpmptsp", json=BODY)).json() == first
    assert len((await anonymous.get("/v1/maklumat/dpmptsp")).json()) == 1


async def test_an_agency_promises_for_itself_only(loaded, client_of, anonymous):
    head = client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))
    assert (await head.put("/v1/maklumat/bakuda", json=BODY)).status_code == 403
    assert (await anonymous.put("/v1/maklumat/bakuda", json=BODY)).status_code == 401
    wrong = await head.put("/v1/maklumat/dpmptsp", json=BODY | {"signed_on": "kemarin"})
    assert wrong.status_code == 422
    assert (await anonymous.get("/v1/maklumat/bakuda")).json() == []
