"""`outlet policy show | check | adopt`: the document in which everything stands that differs between cities."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from adapters.cap.writer import CapWriter
from adapters.cli.common import (
    REFUSED,
    Globals,
    JsonOption,
    err,
    errors_as_sentences,
    globals_of,
    platform_of,
    print_json,
    reading_of,
)
from adapters.cli.looks import say
from adapters.cn12379.names import MalformedNameError
from adapters.cn12379.writer import Cn12379Writer
from adapters.gazetteer.errors import GazetteerError
from adapters.gazetteer.from_policy import gazetteer_of
from adapters.policies import load
from adapters.reading import AnyReader
from adapters.wiring import folder_of
from domain.policy import Policy, PolicyError

commands = typer.Typer(no_args_is_help=True, help="Show, check or adopt the outlet's policy.")

PathArgument = Annotated[str, typer.Argument(metavar="PATH", help="A TOML file, or a shipped policy's name.")]


def policy_document(policy: Policy, text: str) -> dict[str, Any]:
    """A policy as JSON: what it is about, and its whole text."""
    return {
        "sha256": policy.sha256,
        "outlet": policy.outlet.id,
        "timezone": policy.outlet.timezone,
        "languages": list(policy.outlet.languages),
        "agencies": [agency.id for agency in policy.agencies],
        "hazards": len(policy.hazards),
        "districts": list(policy.gazetteer.districts),
        "text": text,
    }


@commands.command()
def show(context: typer.Context, *, json: JsonOption = False) -> None:
    """Print the policy in force; with `outlet --policy NAME policy show`, that one."""
    named = globals_of(context).policy
    if named is not None:
        with errors_as_sentences():
            policy, text = load(named)
    else:
        with reading_of(context) as read:
            policy, text = read.policy, read.policy_text
    if json:
        print_json(policy_document(policy, text))
    else:
        typer.echo(text, nl=not text.endswith("\n"))


@commands.command()
def check(path: PathArgument, *, json: JsonOption = False) -> None:
    """Tell everything that is wrong with a policy, without adopting it. Exit code 1 if it cannot be used."""
    problems = problems_of(path)
    if json:
        print_json({"policy": path, "usable": not problems, "problems": problems})
    elif not problems:
        say(f"{path}: usable")
    else:
        for problem in problems:
            err.print(f"outlet: {path}: {problem}", markup=False, highlight=False)
    if problems:
        raise typer.Exit(REFUSED)


def problems_of(name: str) -> list[str]:
    """Whatever keeps this policy from being used: its text, its places, its reader's checks, its sender code."""
    try:
        policy, _ = load(name)
    except PolicyError as error:
        return list(error.problems)
    problems: list[str] = []
    try:
        AnyReader(policy)
    except ValidationError as error:
        problems += [f"reading.checks.{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
    except PolicyError as error:
        problems += error.problems
    try:
        gazetteer = gazetteer_of(policy.gazetteer, beside=folder_of(name))
    except GazetteerError as error:
        return [*problems, *(f"gazetteer: {problem}" for problem in error.problems)]
    known = {area.code for area in gazetteer.districts()}
    missing = [code for code in policy.gazetteer.districts if code not in known]
    problems += [f"gazetteer.districts: {code} is no district" for code in missing]
    CapWriter(policy, gazetteer)
    try:
        Cn12379Writer(policy, gazetteer)
    except MalformedNameError as error:
        problems.append(str(error))
    return problems


@commands.command()
def adopt(context: typer.Context, path: PathArgument, *, json: JsonOption = False) -> None:
    """Adopt a policy: recorded as an event, and every warning in force is merged again under it."""
    problems = problems_of(path)
    if problems:
        for problem in problems:
            err.print(f"outlet: {path}: {problem}", markup=False, highlight=False)
        raise typer.Exit(REFUSED)
    context.obj = Globals(data_dir=globals_of(context).data_dir, policy=path)
    with platform_of(context) as platform:
        platform.runner.pump()
        is_new, sha256 = platform.adopted, platform.policy.sha256
    if json:
        print_json({"policy": path, "sha256": sha256, "adopted": is_new})
    else:
        say(f"{Path(path).name}: {'adopted' if is_new else 'in force already'}, SHA-256 {sha256}")
