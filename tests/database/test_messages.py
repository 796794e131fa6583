"""Messages are stored as code and facts and rendered in the active language."""

# ruff: noqa: RUF001  Chinese has punctuation of its own

import json

import pytest
from django.utils.translation import override

from compat.copying.errors import WritersRemain
from compat.copying.messages import Message, state_message

DIFFERENCES = Message(
    "list", items=[Message("missing_rows", rows=2, keys="4, 17"), Message("extra_rows", rows=1, keys="9")]
)


@pytest.mark.parametrize(
    ("message", "english", "chinese"),
    [
        (Message("paused_by", name="ann"), "paused by ann", "由 ann 暂停"),
        (Message("time_limit"), "the time limit of --max-seconds was reached", "已达到 --max-seconds 的时限"),
        (
            Message("stopped", reason=Message("received_signal", signal="SIGTERM")),
            "stopped, received SIGTERM; run again to resume",
            "已停止，收到 SIGTERM；再次运行即可继续",
        ),
        (
            Message("verified_different", rows=50, differences=DIFFERENCES),
            "verified, 50 rows: source and target differ: 2 missing (source keys 4, 17), 1 extra (target keys 9)",
            "已校验 50 行：源与目标不一致：缺失 2 行（源键 4, 17）, 多余 1 行（目标键 9）",
        ),
        (Message("resumed", state=state_message("running"), owner="x", former=state_message("failed")),
         "running: x holds the lease, the run was failed", "运行中：x 持有租约，任务此前为“失败”"),
        (Message.of("no such table: 100%"), "no such table: 100%", "no such table: 100%"),
    ],
)  # fmt: skip
def test_a_stored_message_is_rendered_for_its_reader(message, english, chinese):
    stored = Message.from_json(json.loads(json.dumps(message.as_json())))
    assert stored == message
    with override("zh-hans"):
        assert (str(stored), stored.in_english()) == (chinese, english)


def test_an_error_keeps_the_message_that_it_carries():
    carried = Message("writers_remain", table="t", seconds=60.0, writers="pid 7")
    assert Message.of(WritersRemain(carried)) == carried
    assert str(WritersRemain(carried)).startswith("Transactions that write to t are still open after 60 s: pid 7.")
    assert Message.of(ValueError("two\nlines")) == Message("text", text="two lines")


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({"code": "from_the_future", "facts": {"rows": 3}}, "from_the_future {'rows': 3}"),
        ({"code": "from_the_future", "facts": None}, "from_the_future"),
        ({"code": "paused_by", "facts": {}}, "paused_by"),
        ({"code": "verified_equal", "facts": {"rows": "many"}}, "verified_equal {'rows': 'many'}"),
    ],
)
def test_a_message_of_another_release_is_shown_as_it_is(stored, shown):
    assert str(Message.from_json(stored)) == shown
