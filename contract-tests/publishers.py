"""Every event that the services publish, made by their own aggregates: what really leaves them, not what they might say."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from publishers_of_access import access
from publishers_of_integration import integration

from services.asset_registry.aggregate import Facility, System
from services.scheduling.aggregate import Occurrence, Plan
from services.scheduling.workdays import WorkdayCalendar
from services.scoring.aggregate import Assessment, AuditAccess, Budget, CostBaseline, SatisfactionReport, Waiver
from services.work_orders import clock_trust
from services.work_orders.aggregate import WorkOrder
from services.work_orders.findings import Known
from services.work_orders.levels import ServiceLevels
from services.work_orders.records import Cost, Incident, WorkRequest
from shared.aggregate import Aggregate
from shared.contracts.asset_registry import (
    Document,
    EquipmentDescribed,
    Expected,
    FacilityRegistered,
    Nameplate,
    Point,
    PointReplaced,
    SystemRegistered,
)
from shared.contracts.scheduling import PlanItem, PlanItemChanged, PlanItemWithdrawn, WorkdayCalendarAdopted
from shared.contracts.scoring import (
    AssessmentOpened,
    AssessmentPublished,
    AssessmentSigned,
    BudgetRecorded,
    CostBaselineRecorded,
    DeductionWaived,
    EvidenceExported,
    EvidenceRead,
    Head,
    RulebookRef,
    SatisfactionReported,
    Signature,
)
from shared.contracts.work_orders import (
    CostRecorded,
    IncidentConfirmed,
    IncidentReported,
    PointResult,
    ServiceLevelsAdopted,
    Shift,
    WorkOrderOpened,
    WorkRequested,
)
from shared.event import Event

CHINA = ZoneInfo("Asia/Shanghai")
MARCH_9 = datetime(2021, 3, 9, 9, 20, tzinfo=CHINA)
MARCH_12 = datetime(2021, 3, 12, 16, 0, tzinfo=CHINA)
APRIL_30 = datetime(2021, 4, 30, 17, 5, tzinfo=CHINA)
YEAR_END = datetime(2021, 12, 31, 23, 0, tzinfo=CHINA)
MINUTE = timedelta(minutes=1)
OCCURRENCE = "gas-suppression:2021-03:1"
ORDER = f"wo:{OCCURRENCE}"
PHOTO = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
EVENT = "01a20541-32ea-74e0-8d90-4f1bd1fa8113"
RULEBOOK = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
RULEBOOK_2 = "0b5e6f7a5a3d5f3a2a5fd1a5a3b8e0a5cf7a1b0a7d3e6c9f8b2d4e1a0c3f5b7d"
RESULT = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
NAMEPLATE = Nameplate(
    maker="昆明消防器材厂",
    model="ZPT-5.6",
    serial="2018-0442",
    supplier="昆明消防器材有限公司",
    installed_on=date(2018, 5, 20),
    warranty_until=date(2021, 5, 19),
)

Told = tuple[Aggregate, Event, datetime]


def published() -> Iterator[Told]:
    """Every event of every service: who recorded it, what, and when it happened."""
    for recorder in (*asset_registry(), *scheduling(), *work_orders(), *scoring(), *integration(), *access()):
        for event, at in recorder.new_events:
            yield recorder, event, at


def asset_registry() -> Iterable[Aggregate]:
    """A hall, a system of it, and what became of its points."""
    at = datetime(2020, 12, 1, 9, 0, tzinfo=CHINA)
    hall = Facility("chenggong")
    registration = FacilityRegistered(
        facility_id="chenggong",
        name="呈贡区政务服务中心",
        uscc="91310000775785552L",
        region_code="530114",
        address="昆明市呈贡区",
        floor_area_m2=12600,
        timezone="Asia/Shanghai",
    )
    hall.register(registration, at)
    system = System("gas-suppression")
    commissioned = SystemRegistered(
        system_id="gas-suppression", name="气体灭火系统", category="fire", commissioned_on=date(2018, 6, 1)
    )
    system.register(commissioned, at + MINUTE)
    limits = Expected(unit="MPa", low=Decimal("4.0"), high=Decimal("5.3"))
    points = (
        Point(point_id="N-014", label="喷嘴 14", location="三层 机房", expected=limits),
        Point(point_id="N-015", label="喷嘴 15"),
    )
    system.add_points("喷嘴", points, at + 2 * MINUTE)
    system.relocate_point("N-015", "三层 档案室", at + 3 * MINUTE)
    certificate = Document(sha256=PHOTO, title="合格证")
    described = EquipmentDescribed(
        system_id="gas-suppression",
        equipment="喷嘴",
        nameplate=NAMEPLATE,
        documents=(certificate,),
        point_ids=("N-014",),
    )
    system.describe_equipment(described, at + 4 * MINUTE)
    other = PointReplaced(
        point_id="N-014", replaced_on=date(2021, 3, 12), nameplate=Nameplate(serial="2021-0017"), work_order_id="wo-2"
    )
    system.replace(other, MARCH_12)
    system.retire_points(("N-015",), "房间改作他用", APRIL_30)
    system.decommission(date(2021, 12, 31), "系统更换", YEAR_END)
    return hall, system


def scheduling() -> Iterable[Aggregate]:
    """A plan that changes, and what becomes of the visits made from it."""
    at = datetime(2020, 12, 15, 9, 0, tzinfo=CHINA)
    plan = Plan("2021")
    monthly = PlanItem(
        plan_item_id="gas-suppression",
        system_id="gas-suppression",
        activity="inspection",
        rrule="FREQ=MONTHLY;BYMONTHDAY=1",
        workdays="ignore",
        window_days=31,
        assignee="user:li",
    )
    plan.adopt(2021, (monthly,), at)
    visits = list(plan.due(lambda _: None))
    performed, missed, withdrawn, left = (Occurrence(visit.occurrence_id) for visit in visits[2:6])
    for occurrence, visit in zip((performed, missed, withdrawn, left), visits[2:6], strict=True):
        occurrence.schedule(visit, ("N-014", "N-015"), at)
    performed.perform(ORDER, MARCH_9 + 80 * MINUTE, MARCH_9 + 82 * MINUTE, CHINA)
    performed.excuse(("N-015",), "施工封闭", "user:zhang", MARCH_9)
    missed.pass_time(date(2021, 6, 1), CHINA)
    withdrawn.withdraw("闭馆", date(2021, 5, 3), datetime(2021, 5, 3, 10, 0, tzinfo=CHINA))
    left.defer_withdrawal("系统自 2021-05-31 起停用", date(2021, 6, 10), datetime(2021, 6, 10, 9, 0, tzinfo=CHINA))
    change = PlanItemChanged(
        plan_id="2021",
        plan_item_id="gas-suppression",
        effective_on=date(2021, 7, 1),
        reason="与消防演练错开",
        rrule="FREQ=MONTHLY;BYMONTHDAY=15",
        window_days=10,
        workdays="move",
    )
    plan.change(change, date(2021, 5, 1), APRIL_30)
    ended = PlanItemWithdrawn(
        plan_id="2021", plan_item_id="gas-suppression", effective_on=date(2021, 12, 31), reason="系统更换"
    )
    plan.withdraw(ended, date(2021, 11, 30), datetime(2021, 11, 30, 16, 0, tzinfo=CHINA))
    days = WorkdayCalendar("2021")
    notice = WorkdayCalendarAdopted(
        year=2021,
        source="国办发明电〔2020〕27号",
        holidays=(date(2021, 1, 1), date(2021, 2, 11)),
        make_up_workdays=(date(2021, 2, 7), date(2021, 2, 20)),
        reason="元旦、春节",
    )
    days.adopt(notice, at)
    return days, plan, performed, missed, withdrawn, left


def work_orders() -> Iterable[Aggregate]:
    """One inspection from its opening to its closing, the repair that it led to, and all that stands beside."""
    levels = ServiceLevels("chenggong")
    shifts = (Shift(opens="09:00", closes="12:00"), Shift(opens="13:30", closes="17:30"))
    levels.adopt(ServiceLevelsAdopted(urgent=2, high=8, normal=24, low=80, shifts=shifts), MARCH_9)
    work = (_inspection(), _maintenance(), _repair(), _late_repair())
    books = (_booked("cost-2"), _reversed("cost-1"), _incident("incident-1"), _dismissed("incident-2"))
    return *work, levels, _request(), _granted_request(), *books


def scoring() -> Iterable[Aggregate]:
    """The facts of a year, and its assessment."""
    report = SatisfactionReport("2021-q1")
    ratings = SatisfactionReported(
        report_id="2021-q1",
        period_start=date(2021, 1, 1),
        period_end=date(2021, 3, 31),
        very_satisfied=1502,
        satisfied=240,
        basically_satisfied=61,
        dissatisfied=4,
        very_dissatisfied=1,
        defaulted=40,
        overturned=1,
    )
    report.report(ratings, date(2021, 4, 30), APRIL_30)
    baseline, budget = CostBaseline("2020"), Budget("2021")
    baseline.tell(CostBaselineRecorded(year=2020, amount=Decimal("86000.00"), basis="2020 年决算"), APRIL_30)
    amounts = {"initial": Decimal("120000.00"), "annual": Decimal("118000.00"), "executed": Decimal("31250.50")}
    budget.tell(BudgetRecorded(year=2021, as_of=date(2021, 3, 31), **amounts), APRIL_30)
    return report, baseline, budget, *_waivers(), _assessment(), *_looks()


def _waivers() -> Iterable[Aggregate]:
    """What a deduction costs nothing of: a point of a visit, a month of a system, an event."""
    visit, month, event = Waiver("waiver-1"), Waiver("waiver-2"), Waiver("waiver-3")
    why = {"reason": "施工封闭", "approved_by": "user:zhang"}
    visit.waive(DeductionWaived(waiver_id="waiver-1", occurrence_id=OCCURRENCE, point_id="N-015", **why), APRIL_30)
    month.waive(DeductionWaived(waiver_id="waiver-2", period="2021-02", system_id="gas-suppression", **why), APRIL_30)
    event.waive(DeductionWaived(waiver_id="waiver-3", event_id=EVENT, **why), APRIL_30)
    return visit, month, event


def _looks() -> Iterable[Aggregate]:
    """What an auditor saw, and took along."""
    seen, taken = AuditAccess("access-1"), AuditAccess("access-2")
    seen.tell(EvidenceRead(what="/v1/facilities/chenggong/assessments/2021/why", read_by="user:auditor"), YEAR_END)
    exported = EvidenceExported(
        what="/v1/facilities/chenggong/assessments/2021/bundle.zip", sha256=RESULT, exported_by="user:auditor"
    )
    taken.tell(exported, YEAR_END + MINUTE)
    return seen, taken


def _inspection() -> Aggregate:
    order = WorkOrder(ORDER)
    opening = WorkOrderOpened(
        work_order_id=ORDER,
        kind="inspection",
        system_id="gas-suppression",
        point_ids=("N-014", "N-015"),
        priority="normal",
        occurrence_id=OCCURRENCE,
    )
    order.open(opening, datetime(2021, 1, 15, 0, 0, tzinfo=UTC))
    order.assign("user:li", MARCH_9 - 60 * MINUTE)
    order.start(MARCH_9, MARCH_9)
    order.hold(MARCH_9 + 10 * MINUTE, "等待钥匙", MARCH_9 + 10 * MINUTE)
    order.resume(MARCH_9 + 25 * MINUTE, MARCH_9 + 25 * MINUTE)
    results = (
        PointResult(
            point_id="N-014",
            outcome="fault",
            reading=Decimal("3.6"),
            unit="MPa",
            note="压力偏低",
            fixed_on_site=False,
            photos=(PHOTO,),
        ),
        PointResult(point_id="N-015", outcome="not_applicable", note="房间封闭"),
    )
    order.inspect(results, _told(70, 82), "user:li", Known())
    order.perform(_told(80, 82), "user:li", summary="2 个点位, 1 处故障")
    order.return_work("user:wang", "照片不清", MARCH_9 + 120 * MINUTE)
    order.perform(_told(180, 181), "user:li", summary="已补拍")
    order.accept("user:wang", MARCH_9 + 240 * MINUTE)
    order.close("资料齐全", MARCH_9 + 241 * MINUTE)
    return order


def _told(happened: int, told: int) -> clock_trust.Told:
    """What happened some minutes after it began, captured a minute later, and when it was told."""
    minutes = [MARCH_9 + after * MINUTE for after in (happened, happened + 1, told)]
    return clock_trust.Told(at=minutes[0], captured_at=minutes[1], now=minutes[2])


def _maintenance() -> Aggregate:
    order = WorkOrder("wo-4")
    opening = WorkOrderOpened(
        work_order_id="wo-4", kind="maintenance", system_id="gas-suppression", point_ids=(), priority="low"
    )
    order.open(opening, MARCH_9)
    order.assign("user:li", MARCH_9)
    order.start(MARCH_9, MARCH_9)
    order.perform(_told(30, 31), "user:li")
    order.return_work("user:wang", "未清洁", MARCH_9 + 60 * MINUTE)
    order.perform(_told(90, 91), "user:li")
    order.accept("user:wang", MARCH_9 + 120 * MINUTE)
    return order


def _repair() -> Aggregate:
    order = WorkOrder("wo-2")
    opening = WorkOrderOpened(
        work_order_id="wo-2",
        kind="corrective",
        system_id="gas-suppression",
        point_ids=("N-014",),
        priority="high",
        occurrence_id=OCCURRENCE,
        description="喷嘴 14 压力偏低",
        caused_by=ORDER,
        due_at=datetime(2021, 3, 16, 18, 0, tzinfo=CHINA),
    )
    order.open(opening, MARCH_9 + 70 * MINUTE)
    order.replace_equipment("N-014", date(2021, 3, 9), date(2021, 3, 12), MARCH_12)
    order.replace_equipment("N-014", date(2021, 3, 12), date(2021, 3, 12), MARCH_12 + MINUTE, nameplate=NAMEPLATE)
    order.cancel("并入年度更换", APRIL_30)
    return order


def _late_repair() -> Aggregate:
    order = WorkOrder("wo-3")
    opening = WorkOrderOpened(
        work_order_id="wo-3",
        kind="corrective",
        system_id="gas-suppression",
        point_ids=("N-015",),
        priority="high",
        caused_by="request-2",
        due_at=MARCH_9 + 480 * MINUTE,
        escalates_at=MARCH_12,
        due_basis="workdays",
    )
    order.open(opening, MARCH_9)
    order.escalate(APRIL_30)
    return order


def _granted_request() -> Aggregate:
    request = _made("request-2")
    request.approve("user:wang", "wo-3", MARCH_9 + 90 * MINUTE)
    return request


def _made(request_id: str) -> WorkRequest:
    request = WorkRequest(request_id)
    wish = WorkRequested(
        request_id=request_id,
        description="机房有异味",
        requested_by="user:chen",
        system_id="gas-suppression",
        point_id="N-014",
    )
    request.make(wish, MARCH_9)
    return request


def _request() -> Aggregate:
    request = _made("request-1")
    request.reject("已在工单 wo-2 处理", MARCH_9 + 90 * MINUTE)
    return request


def _booked(cost_id: str) -> Cost:
    cost = Cost(cost_id)
    booking = CostRecorded(
        cost_id=cost_id,
        amount=Decimal("1280.00"),
        category="fixed_equipment",
        incurred_on=date(2021, 3, 12),
        work_order_id="wo-2",
        supplier="昆明消防器材有限公司",
        invoice="053001900104-21786512",
    )
    cost.book(booking, MARCH_12)
    return cost


def _reversed(cost_id: str) -> Aggregate:
    cost = _booked(cost_id)
    cost.reverse("发票重复入账", APRIL_30)
    return cost


def _reported(incident_id: str) -> Incident:
    incident = Incident(incident_id)
    report = IncidentReported(
        incident_id=incident_id,
        occurred_at=MARCH_9,
        description="二层吊顶板坠落",
        reported_by="user:chen",
    )
    incident.report(report, MARCH_9 + 5 * MINUTE)
    return incident


def _incident(incident_id: str) -> Aggregate:
    incident = _reported(incident_id)
    finding = IncidentConfirmed(
        incident_id=incident_id,
        occurred_at=MARCH_9,
        harms=("property",),
        visitors_affected=True,
        description="一名群众的电脑被砸坏",
    )
    incident.confirm(finding, APRIL_30)
    return incident


def _dismissed(incident_id: str) -> Aggregate:
    incident = _reported(incident_id)
    incident.dismiss("user:zhao", "重复上报", APRIL_30)
    return incident


def _assessment() -> Aggregate:
    assessment = Assessment("chenggong-2021")
    opening = AssessmentOpened(
        assessment_id="chenggong-2021",
        year=2021,
        rulebooks=(
            RulebookRef(rulebook_id="chenggong-2021", sha256=RULEBOOK),
            RulebookRef(rulebook_id="mof-2020", sha256=RULEBOOK_2),
        ),
        official="chenggong-2021",
    )
    assessment.open(opening, datetime(2021, 1, 4, 9, 0, tzinfo=CHINA))
    assessment.choose_official("mof-2020", "上级要求以全国统一格式为准", "user:zhang", APRIL_30)
    for number, who in enumerate(("user:chen", "user:zhang")):
        signature = AssessmentSigned(
            assessment_id="chenggong-2021",
            as_of=date(2021, 12, 31),
            known_at=YEAR_END,
            rulebook_sha256=RULEBOOK_2,
            result_sha256=RESULT,
            acknowledged=("no_ratings:2021-12",),
            signed_by=who,
            total=Decimal("91.50"),
        )
        assessment.sign(signature, YEAR_END + number * MINUTE)
    publication = AssessmentPublished(
        assessment_id="chenggong-2021",
        as_of=date(2021, 12, 31),
        known_at=YEAR_END,
        rulebook_sha256=RULEBOOK_2,
        heads={"work_orders": Head(position=3120, hash=f"sha256:{RESULT}", root=f"sha256:{RULEBOOK}")},
        result_sha256=RESULT,
        published_by="user:zhang",
        total=Decimal("91.50"),
        seal=Signature(algorithm="Ed25519", key_id=RULEBOOK, signature="c2VhbA=="),
    )
    assessment.publish(publication, YEAR_END)
    assessment.withdraw("满意度数据更正", YEAR_END + 60 * MINUTE)
    return assessment
