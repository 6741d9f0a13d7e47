import pytest
from sebalai_shared.process import main


def commands(ran):
    return {
        name: lambda given, name=name: ran.append((name, given)) for name in ("migrate", "load")
    }


def test_a_command_gets_the_words_after_its_name():
    ran = []
    main(commands(ran), ["load", "folder"])
    assert ran == [("load", ["folder"])]


def test_prepare_migrates_and_then_loads():
    ran = []
    main(commands(ran), ["prepare"])
    assert ran == [("migrate", []), ("load", [])]


def test_nothing_is_loaded_when_migrating_fails():
    ran = []

    def broken(_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        main(commands(ran) | {"migrate": broken}, ["prepare"])
    assert ran == []


@pytest.mark.parametrize("arguments", [[], ["unknown"]])
def test_an_unknown_command_lists_those_there_are(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(commands([]), arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "one of: migrate, load\n"
