// SPDX-License-Identifier: Apache-2.0
// Exporters for tests: one that keeps the ids of the records it was given and
// misbehaves as told, and one that never works. The test's thread sets and
// reads, the exporter's thread calls; waits are on conditions, never on time.
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.hpp"
#include "core/export/exporter.hpp"

namespace nfstreamd::test {

inline RecordBatchPtr make_batch(std::uint64_t first_id, std::size_t count) {
    auto batch = std::make_shared<RecordBatch>();
    batch->records.resize(count);
    for (std::size_t i = 0; i < count; ++i) batch->records[i].id = first_id + i;
    return batch;
}

inline Logger& quiet_logger() {
    static Logger logger(LogLevel::kError, LogFormat::kText, -1);
    return logger;
}

class RecordingExporter : public Exporter {
public:
    using Clock = std::chrono::steady_clock;

    // How it behaves; a count of -1 lasts forever.
    struct Behaviour {
        int fail_opens = 0, fail_writes = 0, fail_flushes = 0, busy_writes = 0, busy_opens = 0;
        std::size_t take_before_failing = 0;  // records that a failing or busy write takes
        bool hold_back = false;               // records are out with the next flush only
        bool block_writes = false;            // a write waits until this is false again
        bool confirm_late = false;            // what is out may be lost as long as this is true
        bool lose_unconfirmed = true;         // it is, when it is forgotten; false: it had arrived all the same
        std::uint64_t drop_each = 0;          // records whose id is a multiple of it fit no message
        ErrorCode code = ErrorCode::kUnavailable;
    };

    struct Write {
        Clock::time_point time;
        std::size_t records;
    };

    RecordingExporter() = default;
    explicit RecordingExporter(Behaviour behaviour) : behaviour_(behaviour) {}

    void change(const std::function<void(Behaviour&)>& edit) {
        const std::lock_guard lock(mutex_);
        edit(behaviour_);
        changed_.notify_all();
    }

    // False: it did not come to that in the time that any machine should need.
    bool wait_until(const std::function<bool(const RecordingExporter&)>& condition) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return condition(*this); });
    }

    Status open() override {
        std::unique_lock lock(mutex_);
        opens.push_back(Clock::now());
        changed_.notify_all();
        if (spend(behaviour_.busy_opens)) return Error{ErrorCode::kBusy, "connecting", ""};
        if (spend(behaviour_.fail_opens)) return fail("open");
        counters_.connects.add();
        counters_.up.set(1);
        return ok();
    }

    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override {
        std::unique_lock lock(mutex_);
        ++writes_begun;
        changed_.notify_all();
        changed_.wait(lock, [&] { return !behaviour_.block_writes; });
        const bool busy = spend(behaviour_.busy_writes), failing = !busy && spend(behaviour_.fail_writes);
        const std::size_t left = batch.records.size() - from;
        const std::size_t taken = busy || failing ? std::min(left, behaviour_.take_before_failing) : left;
        for (std::size_t i = 0; i < taken; ++i) take(batch.records[from + i].id);
        consumed = from + taken;
        writes.push_back({Clock::now(), taken});
        if (!behaviour_.hold_back) let_out();
        changed_.notify_all();
        if (busy) return Error{ErrorCode::kBusy, "slow", ""};
        if (failing) return fail("write");
        return ok();
    }

    Status flush() override {
        const std::lock_guard lock(mutex_);
        ++flushes;
        changed_.notify_all();
        if (spend(behaviour_.fail_flushes)) return fail("flush");
        let_out();
        return ok();
    }

    void close() noexcept override {
        const std::lock_guard lock(mutex_);
        ++closes;
        if (spend(behaviour_.fail_flushes))
            counters_.dropped_failed.add(held_.size());
        else
            let_out();
        held_.clear();
        counters_.up.set(0);
        changed_.notify_all();
    }

    void set_patience(std::chrono::milliseconds patience) override { patience_ = patience; }

    std::size_t unconfirmed() override {
        const std::lock_guard lock(mutex_);
        return may_be_lost();
    }

    void forget_unconfirmed() override {
        const std::lock_guard lock(mutex_);
        forgotten += may_be_lost();
        if (behaviour_.confirm_late) {
            if (behaviour_.lose_unconfirmed) ids.resize(ids.size() - unconfirmed_);
            counters_.records.set(counters_.records.get() - unconfirmed_);
            held_.clear();
            counters_.dropped_oversize.set(counters_.dropped_oversize.get() - unconfirmed_drops_);
        }
        unconfirmed_ = unconfirmed_drops_ = 0;
        changed_.notify_all();
    }

    void note_losses(const LossTotals& losses) override {
        const std::lock_guard lock(mutex_);
        noted = losses;
    }

    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::chrono::milliseconds patience() const { return patience_; }
    std::string description() const override { return "memory"; }

    // What happened; by the test inside wait_until() or when the thread has ended.
    std::vector<std::uint64_t> ids;
    std::vector<Clock::time_point> opens;
    std::vector<Write> writes;
    int writes_begun = 0, flushes = 0, closes = 0;
    std::size_t forgotten = 0;
    LossTotals noted;

private:
    std::size_t may_be_lost() {
        if (!behaviour_.confirm_late) unconfirmed_ = unconfirmed_drops_ = 0;
        return behaviour_.confirm_late ? unconfirmed_ + unconfirmed_drops_ + held_.size() : 0;
    }

    void take(std::uint64_t id) {
        if (behaviour_.drop_each == 0 || id % behaviour_.drop_each != 0) return held_.push_back(id);
        counters_.dropped_oversize.add();
        if (behaviour_.confirm_late) ++unconfirmed_drops_;
    }

    static bool spend(int& count) { return count < 0 || (count > 0 && count-- > 0); }

    Error fail(const char* what) {
        counters_.failures.add();
        counters_.up.set(0);
        return {behaviour_.code, std::string(what) + " refused", "memory"};
    }

    void let_out() {
        ids.insert(ids.end(), held_.begin(), held_.end());
        counters_.records.add(held_.size());
        if (behaviour_.confirm_late) unconfirmed_ += held_.size();
        held_.clear();
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    Behaviour behaviour_;
    std::vector<std::uint64_t> held_;
    std::size_t unconfirmed_ = 0;  // of ids, the last
    std::size_t unconfirmed_drops_ = 0;
    std::chrono::milliseconds patience_{0};
    ExporterCounters counters_;
};

class FailingExporter final : public RecordingExporter {
public:
    explicit FailingExporter(ErrorCode code = ErrorCode::kUnavailable)
        : RecordingExporter({.fail_opens = -1, .fail_writes = -1, .fail_flushes = -1, .code = code}) {}
};

}  // namespace nfstreamd::test
