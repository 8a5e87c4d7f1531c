// SPDX-License-Identifier: Apache-2.0
#include "core/capture/merged_source.hpp"

#include <doctest/doctest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>

#include "tests/support/collecting_sink.hpp"
#include "tests/support/pcap_writer.hpp"
#include "tests/support/recording_exporter.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

namespace {

constexpr TimestampNs kMs = 1'000'000, kSecond = 1000 * kMs, kStart = 1'700'000'000 * kSecond;
constexpr int kEthernet = 1;

using Times = std::vector<TimestampNs>;
using Members = std::vector<std::unique_ptr<PacketSource>>;

// An interface made by hand, with a descriptor to wait on.
class FakeLink final : public PacketSource {
public:
    explicit FakeLink(std::string name) : name_(std::move(name)) {}
    ~FakeLink() override { ::close(event_); }

    void add(TimestampNs time) {
        const std::lock_guard lock(mutex_);
        queue_.push_back(time);
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
    }
    void go_down() { counters_.up.set(0); }
    void fail() { failing_ = true; }

    Status open() override {
        counters_.opens.add();
        counters_.up.set(1);
        return ok();
    }
    // Like the kernel's ring: a block at a time, of ten frames here.
    Result<PollOutcome> poll(FrameSink& sink, std::chrono::milliseconds wait) override {
        CHECK(wait == 0ms);
        const std::lock_guard lock(mutex_);
        if (failing_) return Error{ErrorCode::kUnavailable, "is gone", name_};
        std::uint64_t count;
        if (queue_.empty()) {
            [[maybe_unused]] const auto got = ::read(event_, &count, sizeof count);
            return PollOutcome::kIdle;
        }
        const Bytes octets(60, 1);
        for (int i = 0; i < 10 && !queue_.empty(); ++i) {
            const RawFrame frame{queue_.front(), octets.data(), 60, 60};
            queue_.pop_front();
            counters_.frames.add();
            sink.on_frames({{&frame, 1}, kEthernet});
        }
        return PollOutcome::kFrames;
    }
    void wake() noexcept override {}
    int descriptor() const noexcept override { return event_; }
    const CaptureCounters& counters() const noexcept override { return counters_; }
    Description describe() const override {
        const bool up = counters_.up.get() != 0;
        return {name_, 5, up ? "up" : "waiting: no such device", "EN10MB", "host", "micro"};
    }

private:
    using Bytes = std::vector<std::uint8_t>;
    const std::string name_;
    const int event_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CaptureCounters counters_;
    std::mutex mutex_;
    std::deque<TimestampNs> queue_;
    bool failing_ = false;
};

struct Links {
    FakeLink *a = nullptr, *b = nullptr;
    std::unique_ptr<PacketSource> source;
    CollectingSink sink;

    explicit Links(MergeOptions options = {}) {
        Members members;
        members.push_back(std::make_unique<FakeLink>("a"));
        members.push_back(std::make_unique<FakeLink>("b"));
        a = static_cast<FakeLink*>(members[0].get());
        b = static_cast<FakeLink*>(members[1].get());
        source = make_merged_links(std::move(members), options, 1536);
        REQUIRE(source->open());
    }
    // Polls until so many frames have come.
    void poll_until(std::size_t frames) {
        for (int i = 0; i < 10'000 && sink.frames.size() < frames; ++i) REQUIRE(source->poll(sink, 20ms));
        REQUIRE(sink.frames.size() == frames);
    }
    Times times() const {
        Times times;
        for (const auto& frame : sink.frames) times.push_back(frame.timestamp);
        return times;
    }
};

std::string write_capture(const std::string& path, const Times& milliseconds, std::uint32_t link_type = 1) {
    PcapWriter writer(link_type);
    const std::vector<std::uint8_t> octets(60, 1);
    for (const auto ms : milliseconds)
        writer.add(static_cast<std::uint32_t>(ms / 1000), static_cast<std::uint32_t>(ms % 1000 * 1000), octets);
    return writer.save(path);
}

std::unique_ptr<PacketSource> merged(const std::vector<std::string>& files, MergeOptions options = {}) {
    Members members;
    for (const auto& file : files) members.push_back(make_file_source({file}, {}, quiet_logger(), 1));
    return make_merged_files(std::move(members), options, 1536);
}

// To the end, in milliseconds.
Times read_all(PacketSource& source, CollectingSink& sink) {
    for (;;) {
        const auto outcome = source.poll(sink, 0ms);
        REQUIRE(outcome);
        if (outcome.value() == PollOutcome::kEnd) break;
    }
    Times times;
    for (const auto& frame : sink.frames) times.push_back(frame.timestamp / kMs);
    return times;
}

}  // namespace

// ---- interfaces

TEST_CASE("MergedLinks: what two interfaces deliver one after the other leaves in the order of its time") {
    Links links;
    for (int i = 0; i < 25; ++i) links.b->add(kStart + 2 * i);
    for (int i = 0; i < 25; ++i) links.a->add(kStart + 2 * i + 1);
    links.poll_until(50);
    for (int i = 0; i < 50; ++i) {
        CHECK(links.sink.frames[i].timestamp == kStart + i);
        CHECK(links.sink.frames[i].source == (i % 2 == 0 ? 1 : 0));
    }
    CHECK(links.source->counters().frames.get() == 50);
    CHECK(links.source->counters().late.get() == 0);
}

TEST_CASE("MergedLinks: a frame waits until it is as old as the window, by the time stamps of newer frames") {
    Links links({.reorder_window = 100ms});
    links.a->add(kStart);
    REQUIRE(links.source->poll(links.sink, 0ms));
    CHECK(links.times().empty());
    links.a->add(kStart + 200 * kMs);
    REQUIRE(links.source->poll(links.sink, 0ms));  // b is asked once more after that time was seen
    REQUIRE(links.source->poll(links.sink, 0ms));
    CHECK(links.times() == Times{kStart});
    links.b->add(kStart + 150 * kMs);
    links.poll_until(3);
    CHECK(links.times() == Times{kStart, kStart + 150 * kMs, kStart + 200 * kMs});
}

TEST_CASE("MergedLinks: when all are silent the last frames leave after the window") {
    Links links({.reorder_window = 30ms});
    const auto start = Steady::now();
    links.a->add(kStart);
    links.poll_until(1);
    CHECK(Steady::now() - start >= 30ms);
}

TEST_CASE("MergedLinks: a frame that comes after the window is handed over, and counted as late") {
    Links links({.reorder_window = 1ms});
    links.a->add(kStart + 50 * kMs);
    links.poll_until(1);
    links.b->add(kStart);
    links.poll_until(2);
    CHECK(links.times() == Times{kStart + 50 * kMs, kStart});
    CHECK(links.source->counters().late.get() == 1);
}

TEST_CASE("MergedLinks: an interface with more than one turn takes holds back what is younger, nobody is late") {
    Links links({.reorder_window = 1ms});
    for (int i = 0; i < 1000; ++i) links.a->add(kStart + i * kMs);
    for (int i = 0; i < 10; ++i) links.b->add(kStart + i * 100 * kMs + 1);
    links.poll_until(1010);
    const auto times = links.times();
    CHECK(std::is_sorted(times.begin(), times.end()));
    CHECK(links.source->counters().late.get() == 0);
}

TEST_CASE("MergedLinks: after the clock was set back frames are not late for ever") {
    Links links({.reorder_window = 1ms});
    links.a->add(kStart + 3600 * kSecond);
    links.poll_until(1);
    for (int i = 1; i <= 5; ++i) {
        links.a->add(kStart + i * kSecond);
        links.poll_until(1 + static_cast<std::size_t>(i));
    }
    CHECK(links.source->counters().late.get() <= 1);
}

TEST_CASE("MergedLinks: wake() ends a wait over all interfaces, a frame of any does too") {
    Links links({.reorder_window = 0ms});
    for (const int who : {0, 1, 2}) {
        const auto start = Steady::now();
        std::jthread other([&] {
            if (who == 0) links.source->wake();
            if (who == 1) links.a->add(kStart);
            if (who == 2) links.b->add(kStart + 1);
        });
        const auto outcome = links.source->poll(links.sink, 60s);
        REQUIRE(outcome);
        CHECK((outcome.value() == PollOutcome::kIdle) == (who == 0));
        CHECK(Steady::now() - start < 30s);
    }
}

TEST_CASE("MergedLinks: an interface that is down does not stop the others, and shows") {
    Links links;
    CHECK(links.source->counters().up.get() == 1);
    CHECK(links.source->describe().state == "up");
    links.b->go_down();
    links.a->add(kStart);
    links.poll_until(1);
    CHECK(links.source->counters().up.get() == 0);
    CHECK(links.source->describe().state == "b: waiting: no such device");
    CHECK(links.source->describe().link_type == "EN10MB");
    CHECK(links.source->counters().opens.get() == 2);
    REQUIRE(links.source->members().size() == 2);
    CHECK(links.source->members()[1]->describe().name == "b");
}

TEST_CASE("MergedLinks: an error of one is an error of all, and finish() hands over what was held") {
    Links links({.reorder_window = 100ms});
    links.a->add(kStart);
    links.b->fail();
    const auto outcome = links.source->poll(links.sink, 60s);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().where == "b");
    CHECK(links.times().empty());
    links.source->finish(links.sink);
    CHECK(links.times() == Times{kStart});
}

// ---- files

TEST_CASE("MergedFiles: frames of all files come in the order of their time, each file's counted") {
    TemporaryFolder folder;
    Times even, odd;
    for (int i = 0; i < 500; ++i) (i % 3 == 0 ? odd : even).push_back(1'000'000 + i);
    const auto source = merged({write_capture(folder.path("a"), even), write_capture(folder.path("b"), odd),
                                write_capture(folder.path("empty"), {})});
    REQUIRE(source->open());
    CollectingSink sink;
    const auto times = read_all(*source, sink);
    REQUIRE(times.size() == 500);
    for (int i = 0; i < 500; ++i) CHECK(times[static_cast<std::size_t>(i)] == 1'000'000 + i);
    CHECK(source->counters().frames.get() == 500);
    CHECK(source->counters().late.get() == 0);
    CHECK(source->progress().done == source->progress().total);
    CHECK(source->describe().state == "finished");
}

TEST_CASE("MergedFiles: equal times come in the order of the files, and a vector has one link type") {
    TemporaryFolder folder;
    const auto source = merged({write_capture(folder.path("a"), {5, 6}, 101), write_capture(folder.path("b"), {5, 6}),
                                write_capture(folder.path("c"), {5})});
    REQUIRE(source->open());
    CollectingSink sink;
    CHECK(read_all(*source, sink) == Times{5, 5, 5, 6, 6});
    std::vector<int> order;
    for (const auto& frame : sink.frames) order.push_back(frame.source);
    CHECK(order == std::vector{0, 1, 2, 0, 1});
    CHECK(sink.frames[0].link_type != sink.frames[1].link_type);
}

TEST_CASE("MergedFiles: files that follow one another come one after the other, whatever their order") {
    TemporaryFolder folder;
    Times early, later;
    for (int i = 0; i < 5000; ++i) (i < 3000 ? early : later).push_back(i);
    const auto source = merged({write_capture(folder.path("b"), later), write_capture(folder.path("a"), early)});
    REQUIRE(source->open());
    CollectingSink sink;
    const auto times = read_all(*source, sink);
    CHECK(times.size() == 5000);
    CHECK(std::is_sorted(times.begin(), times.end()));
}

TEST_CASE("MergedFiles: a file whose time runs back keeps its order, as when it is read alone, and holds up nobody") {
    TemporaryFolder folder;
    Times ordered, backwards;
    for (int i = 0; i < 200; ++i) ordered.push_back(1000 + i);
    for (int i = 0; i < 100'000; ++i) backwards.push_back(100'100 - i);
    const auto source = merged({write_capture(folder.path("a"), ordered), write_capture(folder.path("b"), backwards)});
    REQUIRE(source->open());
    CollectingSink sink;
    const auto times = read_all(*source, sink);
    CHECK(times.size() == 100'200);
    CHECK(std::is_sorted(times.begin(), times.end()));
    CHECK(times.back() == 100'100);
    CHECK(source->counters().late.get() == 0);
}

TEST_CASE("MergedFiles: a file that cannot be read is an error before any frame") {
    TemporaryFolder folder;
    const auto source = merged({write_capture(folder.path("a"), {1}), folder.path("missing")});
    const auto status = source->open();
    REQUIRE_FALSE(status);
    CHECK(status.error().text().find("missing") != std::string::npos);
}

TEST_CASE("block_timeout: a part of the window, as long as the kernel can do it") {
    CHECK(block_timeout({.reorder_window = 100ms}) == 25ms);
    CHECK(block_timeout({.reorder_window = 10ms}) == 2ms);
    CHECK(block_timeout({.reorder_window = 0ms}) == 1ms);
    CHECK(block_timeout({.reorder_window = 10s}) == CaptureOptions{}.block_timeout);
}
