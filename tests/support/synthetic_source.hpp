// SPDX-License-Identifier: Apache-2.0
// A packet source made by hand. As a file it ends with its last frame; as a
// link it waits for more. Any thread may add; one metering thread polls. A test
// waits on wait_until_silent(), never on time.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/capture/packet_source.hpp"
#include "tests/support/packet_builder.hpp"

namespace nfstreamd::test {

class SyntheticSource final : public PacketSource {
public:
    enum class Kind { kFile, kLink };
    static constexpr int kEthernet = 1;

    explicit SyntheticSource(Kind kind = Kind::kFile, std::string name = "test0", std::uint32_t index = 7)
        : kind_(kind), name_(std::move(name)), index_(index) {}

    void add(Bytes octets, TimestampNs time, std::uint32_t wire_length = 0) {
        const std::lock_guard lock(mutex_);
        if (wire_length == 0) wire_length = static_cast<std::uint32_t>(octets.size());
        queue_.push_back({std::move(octets), time, wire_length});
        changed_.notify_all();
    }
    void fail(Error error) {  // the next poll without frames
        const std::lock_guard lock(mutex_);
        error_ = std::move(error);
        changed_.notify_all();
    }
    void set_up(bool up) {  // from the next poll on: the interface is lost, or there again
        const std::lock_guard lock(mutex_);
        up_ = up;
        changed_.notify_all();
    }
    void set_fill(unsigned percent) { fill_percent_ = percent; }  // of the buffer, from the next poll on
    void set_link_type(int link_type) { link_type_ = link_type; }
    void set_checksum(ChecksumMode mode) { checksum_ = mode; }
    void set_hardware_address(std::array<std::uint8_t, 6> address) { hardware_address_ = address; }

    // All that was added before has been metered: the metering thread came back
    // and found nothing, `times` over. False: not within any machine's time.
    bool wait_until_silent(int times = 1) {
        std::unique_lock lock(mutex_);
        const std::uint64_t goal = empty_polls_ + static_cast<std::uint64_t>(times);
        return changed_.wait_for(lock, std::chrono::seconds(30),
                                 [&] { return queue_.empty() && empty_polls_ >= goal; });
    }

    std::uint64_t polls_without_wait() {
        const std::lock_guard lock(mutex_);
        return polls_without_wait_;
    }

    unsigned fill_percent() const noexcept override { return fill_percent_; }
    Status open() override {
        counters_.opens.add();
        counters_.up.set(1);
        return ok();
    }
    Result<PollOutcome> poll(FrameSink& sink, std::chrono::milliseconds wait) override {
        std::vector<Frame> taken;
        {
            std::unique_lock lock(mutex_);
            if (wait == std::chrono::milliseconds(0)) ++polls_without_wait_;
            if (up_ && counters_.up.get() == 0) counters_.opens.add();
            counters_.up.set(up_);
            if (queue_.empty()) {
                ++empty_polls_;
                changed_.notify_all();
                if (error_) return *std::exchange(error_, std::nullopt);
                if (kind_ == Kind::kFile) return PollOutcome::kEnd;
                changed_.wait_for(lock, wait, [&] { return woken_ || !queue_.empty() || error_; });
                woken_ = false;
                if (queue_.empty()) return PollOutcome::kIdle;
            }
            while (!queue_.empty() && taken.size() < kFrameVectorSize) {
                taken.push_back(std::move(queue_.front()));
                queue_.pop_front();
            }
        }
        std::vector<RawFrame> frames;
        for (const Frame& f : taken) {
            frames.push_back({f.time, f.octets.data(), static_cast<std::uint32_t>(f.octets.size()), f.wire_length});
            counters_.frames.add();
            counters_.octets.add(f.wire_length);
        }
        sink.on_frames({frames, link_type_, checksum_});
        return PollOutcome::kFrames;
    }
    void wake() noexcept override {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        changed_.notify_all();
    }
    const CaptureCounters& counters() const noexcept override { return counters_; }
    Description describe() const override { return {name_, index_, "up", "EN10MB", "host", "nano"}; }
    std::array<std::uint8_t, 6> hardware_address() const noexcept override { return hardware_address_; }

private:
    struct Frame {
        Bytes octets;
        TimestampNs time;
        std::uint32_t wire_length;
    };

    const Kind kind_;
    const std::string name_;
    const std::uint32_t index_;
    int link_type_ = kEthernet;
    ChecksumMode checksum_ = ChecksumMode::kOff;
    std::array<std::uint8_t, 6> hardware_address_{};
    CaptureCounters counters_;
    std::atomic<unsigned> fill_percent_{0};
    std::mutex mutex_;  // guards the rest
    std::condition_variable changed_;
    std::deque<Frame> queue_;
    std::optional<Error> error_;
    bool woken_ = false, up_ = true;
    std::uint64_t empty_polls_ = 0, polls_without_wait_ = 0;
};

}  // namespace nfstreamd::test
