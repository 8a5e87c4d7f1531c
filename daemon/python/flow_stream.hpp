// SPDX-License-Identifier: Apache-2.0
// One run of the engine for one reader in Python: metering threads in front, the
// reader behind their queues. Knows nothing of Python. One thread calls it, but
// for stop(), abandon() and totals().
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/wake_event.hpp"
#include "core/metering/metering_process.hpp"
#include "daemon/process_watcher.hpp"

namespace nfstreamd::python {

struct StreamOptions {
    std::vector<std::string> sources;  // capture files, or one interface
    bool live = false;
    unsigned meters = 1;
    CaptureOptions capture;
    MeteringOptions metering;
};

// nfstream's performance report.
struct StreamTotals {
    std::uint64_t packets = 0, ignored = 0, dropped = 0, flows = 0;
    std::vector<std::uint64_t> packets_by_meter;
};

class FlowStream {
public:
    explicit FlowStream(StreamOptions options);
    ~FlowStream();  // without the interpreter's lock, if a hook wants it
    FlowStream(const FlowStream&) = delete;
    FlowStream& operator=(const FlowStream&) = delete;

    // Before start(): the hook of each meter.
    using MakeHook = std::function<std::unique_ptr<FlowHook>(std::uint32_t meter)>;
    Status start(const MakeHook& make_hook);  // null: no hook

    enum class Outcome { kBatch, kWaiting, kEnd };
    // Waits at most `wait` for the next batch of some meter. Those of files come in the order of when their first flows
    // left, however fast each meter is: the same in every run.
    Outcome next(RecordBatchPtr& batch, std::chrono::milliseconds wait);
    // Why metering has failed; after the end.
    Status result() const;

    // The meters end: what they have leaves as it does at the end of input, or with `abandon` is thrown away.
    void stop();
    void abandon();  // joins them

    bool is_called_by_a_meter() const;  // of ours

    StreamTotals totals() const;
    std::uint64_t records_dropped() const;  // the reader was too slow for a live interface

private:
    struct Meter {
        std::unique_ptr<MeteringProcess> process;
        std::shared_ptr<RecordQueue> queue;
        RecordBatchPtr head;  // of files: the next batch, and when its first flow left
        TimestampNs left = 0;
        Status outcome = ok();  // of the thread, when it has ended
        std::jthread thread;    // last: it uses the others
    };

    std::unique_ptr<PacketSource> make_source(const FanoutMember& fanout);
    Outcome any_batch(RecordBatchPtr& batch);
    Outcome batch_in_order(RecordBatchPtr& batch);
    void join() const;

    const StreamOptions options_;
    mutable Logger logger_;
    Logger mute_;
    const TimestampNs idle_timeout_;
    std::shared_ptr<WakeEvent> wake_;
    std::shared_ptr<FlowBudget> budget_;
    std::optional<daemon::ProcessWatcher> watcher_;
    std::vector<std::unique_ptr<Meter>> meters_;
    std::size_t turn_ = 0;       // of meters_: whose queue is looked at first
    mutable std::mutex ending_;  // whoever reads to the end and whoever abandons may be two
};

}  // namespace nfstreamd::python
