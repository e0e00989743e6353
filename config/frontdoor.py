"""What `manage.py` says when a command cannot begin: one line and exit 2, not a traceback."""

from __future__ import annotations

import os
import sys
from sqlite3 import SQLITE_ERROR

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

CANNOT_BEGIN, INTERRUPTED = 2, 130


def main(arguments: list[str]) -> None:
    """Runs a management command. Raises SystemExit(2) for settings or a database that no command can work with."""
    try:
        execute_from_command_line(arguments)
        sys.stdout.flush()
    except ImproperlyConfigured as error:
        _end(str(error))
    except (OperationalError, ProgrammingError) as error:
        reason = _database_problem(error)
        if not reason:
            raise
        _end(reason)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`); Python would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _database_problem(error: Exception) -> str:
    """What is wrong with the whole database; "" where the error is of the command alone."""
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        connection.close()
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (OperationalError, ProgrammingError) as closed:
        return _says(connection, closed)
    if behind:
        return f"The database is not up to date ({_first_line(error)}): run `manage.py migrate` first."
    return _says(connection, error) if _is_of_the_server(error) else ""


def _says(connection: BaseDatabaseWrapper, error: Exception) -> str:
    return f"The database {connection.settings_dict['NAME']} cannot be used: {_first_line(error)}"


def _is_of_the_server(error: Exception) -> bool:
    """A full disk, a lock, a lost connection; not a statement that is wrong, which SQLite calls by the same name."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlite_errorcode", None) != SQLITE_ERROR


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _end(reason: str) -> None:
    print(f"Error: {reason}", file=sys.stderr)
    sys.exit(CANNOT_BEGIN)
