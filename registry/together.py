"""Lets one thread at a time do what many ask for: whoever comes while it is at work goes with the next turn."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from threading import Lock
from typing import Final, Generic, TypeVar

from registry.database import CONNECT_SECONDS, Unanswered, Unavailable

Job = TypeVar("Job")
Done = TypeVar("Done")

MOST: Final = 64
"""Jobs in one turn: nobody waits longer than it takes to do so many."""


class _Asked(Generic[Job, Done]):
    """One job; `turn` is locked until it was done, or its thread is the next to work."""

    __slots__ = ("answer", "job", "leads", "turn")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.turn = Lock()
        self.turn.acquire()
        self.leads = False
        self.answer: list[Done | Exception] = []


class Together(Generic[Job, Done]):
    """`work` does one or more jobs, in order, and gives what came of each: an answer, or the exception for its thread.

    What `work` raises itself goes to every one of them. The jobs are done in the order in which they came.
    """

    def __init__(self, work: Callable[[Sequence[Job]], Sequence[Done | Exception]]) -> None:
        self._work = work
        self._door = Lock()
        self._waiting: deque[_Asked[Job, Done]] = deque()
        self._working = False

    def do(self, job: Job) -> Done:
        """Raises Unavailable for a job that had to wait too long and was not begun."""
        asked: _Asked[Job, Done] = _Asked(job)
        with self._door:
            self._waiting.append(asked)
            asked.leads, self._working = not self._working, True
        if not asked.leads:
            self._wait(asked)
        if not asked.answer:
            self._take_turn()
        (answer,) = asked.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _wait(self, asked: _Asked[Job, Done]) -> None:
        if asked.turn.acquire(timeout=CONNECT_SECONDS):
            return
        with self._door:
            if asked.leads:
                return
            if asked in self._waiting:
                self._waiting.remove(asked)
                raise Unavailable("The database is busy.")
        asked.turn.acquire()  # it is being done; who does it has a deadline

    def _take_turn(self) -> None:
        """Work for all who wait; the first of them is the one who works."""
        with self._door:
            turn = list(islice(self._waiting, MOST))
            for _ in turn:
                self._waiting.popleft()
        # What stands if this thread is stopped in the middle.
        answers: Sequence[Done | Exception] = [Unanswered("The server was stopped.")] * len(turn)
        try:
            answers = self._work([asked.job for asked in turn])
        except Exception as error:  # noqa: BLE001 # it is raised again, by everyone whose job it was
            answers = [error] * len(turn)
        finally:
            following: list[_Asked[Job, Done]] = []
            with self._door:
                following += islice(self._waiting, 1)
                self._working = bool(following)
                for asked in following:
                    asked.leads = True
            for asked, answer in zip(turn, answers, strict=True):
                asked.answer.append(answer)
            for asked in (*turn[1:], *following):
                asked.turn.release()
