"""The wiring of work orders."""

from datetime import datetime, time, timedelta
from typing import Any

from uuid_utils import uuid7

from services.work_orders import answers as forms
from services.work_orders import assets, commands, deadlines, paperwork, queries, record_keeping, tables, views
from services.work_orders.aggregate import UNFINISHED, WorkOrder
from services.work_orders.clock_trust import Told
from services.work_orders.findings import Known
from services.work_orders.mending import MENDING, mend, short_hash
from services.work_orders.records import WorkRequest
from services.work_orders.requests import order_for
from shared.answers import Envelope, KeptFile
from shared.attachments import Attachments, content_of, picture_type
from shared.contracts.asset_registry import (
    FacilityRegistered,
    PointRelocated,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.contracts.scheduling import OccurrenceScheduled, OccurrenceWithdrawn
from shared.contracts.work_orders import WorkKind, WorkOrderOpened
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Recorded
from shared.pages import Page
from shared.rpc import Peer
from shared.service import answers, command, query
from shared.subscription import subscribe
from shared.unit import Unit

PLANNED = "wo:"
"""How the ids of work orders begin that occurrences opened, and no other."""
LARGEST_PHOTO = 10 * 2**20
"""In bytes."""


class WorkOrders(record_keeping.RecordKeeping, deadlines.Deadlines, paperwork.Paperwork):
    """Opens work orders and sees them through to acceptance."""

    name = "work_orders"
    views = views.VIEWS
    asset_registry = Peer("asset_registry")

    @answers(forms.OpenedWorkOrder)
    @command(commands.OpenWorkOrder)
    def open_work_order(self, do: Unit, asked: commands.OpenWorkOrder) -> dict[str, str]:
        """Open a job that no plan asked for; answers {work_order_id}."""
        return {"work_order_id": self._open_by_hand(do, asked)}

    @command(commands.Assign)
    def assign(self, do: Unit, asked: commands.Assign) -> None:
        """Give a job to somebody."""
        do.edit(WorkOrder, asked.work_order_id).assign(asked.assignee, do.now)

    @command(commands.Start)
    def start(self, do: Unit, asked: commands.Start) -> None:
        """Begin the work."""
        do.edit(WorkOrder, asked.work_order_id).start(asked.at, do.now)

    @command(commands.Hold)
    def hold(self, do: Unit, asked: commands.Hold) -> None:
        """Let the work rest."""
        do.edit(WorkOrder, asked.work_order_id).hold(asked.at, asked.reason, do.now)

    @command(commands.Resume)
    def resume(self, do: Unit, asked: commands.Resume) -> None:
        """Go on with the work."""
        do.edit(WorkOrder, asked.work_order_id).resume(asked.at, do.now)

    @answers(forms.MendingOrders)
    @command(commands.Inspect)
    def inspect(self, do: Unit, asked: commands.Inspect) -> dict[str, list[str]]:
        """Say what was found; a fault not fixed on site opens a corrective order where none is open at its point yet.

        `at` is by default `captured_at`, or now. Answers {opened: [work_order_id], known: those that were open already}.
        """
        work_order = do.edit(WorkOrder, asked.work_order_id)
        told = Told(at=asked.at or asked.captured_at or do.now, now=do.now, captured_at=asked.captured_at)
        work_order.inspect(asked.results, told, do.actor, self._known(do, work_order, asked))
        return mend(do, work_order, asked.results, self._open)

    @answers(forms.Performance)
    @command(commands.Perform)
    def perform(self, do: Unit, asked: commands.Perform) -> dict[str, list[str]]:
        """Say that the job is done; answers {flags: what is odd about its times}."""
        work_order = do.edit(WorkOrder, asked.work_order_id)
        told = Told(at=asked.performed_at, now=do.now, captured_at=asked.captured_at)
        zone = assets.zone_of(do) if work_order.order.window_end else None
        omitted = asked.omitted_point_ids or ()
        return {"flags": list(work_order.perform(told, do.actor, summary=asked.summary, omitted=omitted, zone=zone))}

    @answers(KeptFile)
    @command(commands.KeepPhoto)
    def keep_photo(self, do: Unit, asked: commands.KeepPhoto) -> dict[str, Any]:
        """Keep a photo for results to name: {sha256, media_type, size}."""
        content = content_of(asked.file)
        if len(content) > LARGEST_PHOTO:
            raise Invalid({"file": [f"expected at most {LARGEST_PHOTO} bytes, not {len(content)}"]})
        return self._photos.keep(do.facility, content, picture_type(content))

    @command(commands.Accept)
    def accept(self, do: Unit, asked: commands.Accept) -> None:
        """Find the work up to standard."""
        do.edit(WorkOrder, asked.work_order_id).accept(do.actor, do.now)

    @command(commands.AcceptMany)
    def accept_many(self, do: Unit, asked: commands.AcceptMany) -> None:
        """Find all of several jobs up to standard; raises Invalid naming each that cannot be accepted."""
        refused = {} if asked.work_order_ids else {"work_order_ids": ["expected at least one"]}
        for number, id_ in enumerate(asked.work_order_ids):
            try:
                do.edit(WorkOrder, id_).accept(do.actor, do.now)
            except (NotFound, Rejected) as why:
                refused[f"work_order_ids[{number}]"] = [f"{id_}: {why}"]
        if refused:
            raise Invalid(refused)

    @command(commands.Return)
    def return_work(self, do: Unit, asked: commands.Return) -> None:
        """Find the work not up to standard."""
        do.edit(WorkOrder, asked.work_order_id).return_work(do.actor, asked.reason, do.now)

    @command(commands.Finish)
    def close(self, do: Unit, asked: commands.Finish) -> None:
        """Close accepted work."""
        do.edit(WorkOrder, asked.work_order_id).close(asked.reason, do.now)

    @command(commands.Finish)
    def cancel(self, do: Unit, asked: commands.Finish) -> None:
        """Call off work that is not done yet."""
        do.edit(WorkOrder, asked.work_order_id).cancel(asked.reason, do.now)

    @answers(forms.OpenedWorkOrder)
    @command(commands.ApproveWorkRequest)
    def approve_work_request(self, do: Unit, asked: commands.ApproveWorkRequest) -> dict[str, str]:
        """Grant a request by an order, opened in the same entry; answers {work_order_id}."""
        request = do.edit(WorkRequest, asked.request_id)
        id_ = self._open_by_hand(do, order_for(asked, request.request))
        request.approve(do.actor, id_, do.now)
        return {"work_order_id": id_}

    @subscribe("scheduling", OccurrenceScheduled)
    def on_occurrence_scheduled(self, do: Unit, recorded: Recorded) -> None:
        """Open the work order for a planned occurrence, and give it to whom the plan names.

        It is due at the end of the window, in local time. A periodic test by others is maintenance to us.
        """
        occurrence = recorded.event
        if not isinstance(occurrence, OccurrenceScheduled):
            return
        id_ = work_order_of(occurrence.occurrence_id)
        kind: WorkKind = "maintenance" if occurrence.activity == "test" else occurrence.activity
        order = WorkOrderOpened(
            work_order_id=id_,
            kind=kind,
            occurrence_id=occurrence.occurrence_id,
            system_id=occurrence.system_id,
            point_ids=occurrence.point_ids,
            priority="normal",
            due_at=datetime.combine(occurrence.window_end + timedelta(days=1), time.min, tzinfo=assets.zone_of(do)),
            window_start=occurrence.window_start,
            window_end=occurrence.window_end,
        )
        self._open(do, order)
        if occurrence.assignee is not None:
            do.find(WorkOrder, id_).assign(occurrence.assignee, do.now)

    @subscribe("scheduling", OccurrenceWithdrawn)
    def on_occurrence_withdrawn(self, do: Unit, recorded: Recorded) -> None:
        """Cancel the work order of an occurrence that is not due after all."""
        withdrawn = recorded.event
        if isinstance(withdrawn, OccurrenceWithdrawn):
            work_order = do.find(WorkOrder, work_order_of(withdrawn.occurrence_id))
            if work_order.exists and work_order.status in UNFINISHED:
                work_order.cancel(withdrawn.reason, do.now)

    @subscribe(
        "asset_registry",
        FacilityRegistered,
        SystemRegistered,
        SystemDecommissioned,
        PointsAdded,
        PointsRetired,
        PointRelocated,
    )
    def on_assets(self, do: Unit, recorded: Recorded) -> None:
        """Know the facilities, systems and points that work is about."""

    @answers(forms.ListedWorkOrder)
    @query
    def work_orders(self, facility: str, **filters: Any) -> Page:
        """The work orders of a facility, a page of them; filters and sorts as of `queries.work_orders`."""
        return queries.work_orders(self.ledger, facility, queries.Filters(**filters))

    @answers(forms.WorkOrderWithCaused)
    @query
    def work_order(self, facility: str, work_order_id: str) -> dict[str, Any]:
        """One work order with the orders that it caused; raises NotFound."""
        return queries.work_order(self.ledger, facility, work_order_id)

    @answers(forms.Round)
    @query
    def round(self, facility: str, work_order_id: str) -> dict[str, Any]:
        """The points of an order with what was found, and the faults that are open at them; raises NotFound."""
        return queries.round_(self.ledger, facility, work_order_id)

    @answers(list[Envelope])
    @query
    def history(self, facility: str, work_order_id: str) -> list[dict[str, Any]]:
        """The envelopes of an order as recorded, oldest first; raises NotFound."""
        return queries.history(self.ledger, facility, work_order_id)

    @query
    def photo(self, facility: str, sha256: str) -> dict[str, str]:
        """A photo: {media_type, body: base64}; raises NotFound."""
        return self._photos.read(facility, sha256)

    @property
    def _photos(self) -> Attachments:
        return Attachments(self.ledger.database, tables.attachments)

    def _open_by_hand(self, do: Unit, asked: commands.OpenWorkOrder) -> str:
        id_ = asked.work_order_id or str(uuid7())
        if id_.startswith((PLANNED, MENDING)):
            expected = (
                f"expected an id that does not begin with {PLANNED} or {MENDING}, as those that open by themselves"
            )
            raise Invalid({"work_order_id": [expected]})
        self._must_know(do, asked.system_id, asked.point_ids)
        self._open(do, WorkOrderOpened(**{**vars(asked), "work_order_id": id_}))
        return id_

    def _open(self, do: Unit, order: WorkOrderOpened) -> None:
        """Open an order, whatever asks for it, with the times at which it is due."""
        do.find(WorkOrder, order.work_order_id).open(deadlines.timed(do, order), do.now)

    def _must_know(self, do: Unit, system_id: str, point_ids: tuple[str, ...]) -> None:
        """Refuse work on assets that are unknown or in use no longer, once all that was told of them is heard."""
        if assets.faults(do, system_id, point_ids):
            self.must_have_heard(self.asset_registry, do.facility)
            if faults := assets.faults(do, system_id, point_ids):
                raise Invalid(faults)

    def _known(self, do: Unit, work_order: WorkOrder, asked: commands.Inspect) -> Known:
        """What results are held against."""
        ids = {result.point_id for result in asked.results}.intersection(work_order.order.point_ids)
        expected = assets.expectations(do, list(ids))
        if len(expected) < len(ids):
            self.must_have_heard(self.asset_registry, do.facility)
            expected = assets.expectations(do, list(ids))
        photos = {photo for result in asked.results for photo in result.photos or ()}
        return Known(expected=expected, missing_photos=self._photos.missing(do.facility, photos))


def work_order_of(occurrence_id: str) -> str:
    """The id of the work order that an occurrence opens; with its end hashed where it would not fit."""
    whole = PLANNED + occurrence_id
    return whole if len(whole) <= 80 else f"{whole[:47]}:{short_hash(whole)}"
