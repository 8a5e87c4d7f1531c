// SPDX-License-Identifier: Apache-2.0
// pauses [FLOWS [PACKETS [MAX_FLOWS [N_DISSECTIONS [PREFAULT [IDLE_S]]]]]]: a metering thread as it is live, flooded
// by a source that never waits; how long each vector of packets took.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "core/metering/metering_process.hpp"

using namespace nfstreamd;

namespace {

using Steady = std::chrono::steady_clock;

struct Times {
    std::vector<std::uint32_t> vectors_ns, turns_ns;  // of each vector; between two polls
};

// UDP packets of so many flows in turn, two million a second of packet time.
class FloodSource final : public PacketSource {
public:
    FloodSource(std::uint64_t flows, std::uint64_t packets, Times& times)
        : flows_(flows), packets_(packets), times_(times) {
        const std::uint8_t head[34] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17};
        for (auto& octets : octets_) {
            std::memcpy(octets, head, sizeof head);
            octets[39] = 26;
        }
    }
    Status open() override {
        counters_.up.set(1);
        counters_.opens.add();
        return ok();
    }
    Result<PollOutcome> poll(FrameSink& sink, std::chrono::milliseconds wait) override {
        if (polled_) note(times_.turns_ns, left_at_);
        polled_ = sent_ < packets_;
        if (sent_ >= packets_) std::this_thread::sleep_for(std::min(wait, std::chrono::milliseconds(10)));
        const bool some = sent_ < packets_;
        for (int i = 0; i < 64 && sent_ < packets_; ++i) {
            fill();
            const auto before = Steady::now();
            sink.on_frames({frames_, 1});
            note(times_.vectors_ns, before);
        }
        left_at_ = Steady::now();
        return some ? PollOutcome::kFrames : PollOutcome::kIdle;
    }
    void wake() noexcept override {}
    bool done() const noexcept { return counters_.frames.get() >= packets_; }
    const CaptureCounters& counters() const noexcept override { return counters_; }
    Description describe() const override {
        Description all;
        all.name = "flood";
        all.state = "up";
        return all;
    }

private:
    static void note(std::vector<std::uint32_t>& times, Steady::time_point since) {
        times.push_back(static_cast<std::uint32_t>(std::chrono::nanoseconds(Steady::now() - since).count()));
    }
    void fill() {
        for (std::size_t i = 0; i < kFrameVectorSize; ++i, ++sent_) {
            const auto flow = static_cast<std::uint32_t>(sent_ % flows_);
            std::uint8_t* octets = octets_[i];
            std::memcpy(octets + 26, &flow, 4);
            octets[30] = 10;
            octets[34] = 17, octets[37] = 53;
            frames_[i] = {kBegin + static_cast<TimestampNs>(sent_) * 500, octets, 60, 60};
        }
        counters_.frames.add(kFrameVectorSize);
    }

    static constexpr TimestampNs kBegin = 1'700'000'000'000'000'000;
    const std::uint64_t flows_, packets_;
    Times& times_;
    CaptureCounters counters_;
    std::uint64_t sent_ = 0;
    bool polled_ = false;
    Steady::time_point left_at_{};
    std::uint8_t octets_[kFrameVectorSize][64] = {};
    RawFrame frames_[kFrameVectorSize];
};

void print(const char* what, std::vector<std::uint32_t>& times) {
    if (times.empty()) return;
    std::sort(times.begin(), times.end());
    const auto over = [&](std::uint32_t ns) {
        return static_cast<std::size_t>(times.end() - std::upper_bound(times.begin(), times.end(), ns));
    };
    std::printf(
        "%-8s %8zu  median %6.1f us  99.9%% %7.1f us  longest %8.1f us  above 100 us: %zu, 1 ms: %zu, 10 ms: %zu\n",
        what, times.size(), times[times.size() / 2] / 1e3, times[times.size() * 999 / 1000] / 1e3, times.back() / 1e3,
        over(100'000), over(1'000'000), over(10'000'000));
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int i, std::uint64_t otherwise) {
        return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
    };
    const std::uint64_t flows = number(1, 8'000'000), packets = number(2, 10'000'000);
    MeteringOptions options;
    options.max_flows = static_cast<std::uint32_t>(number(3, 8'388'608));
    options.n_dissections = static_cast<unsigned>(number(4, 0));
    options.prefault = number(5, 1) != 0;
    options.idle_timeout = std::chrono::seconds(number(6, 120));
    Times times;
    times.vectors_ns.reserve(packets / kFrameVectorSize + 1);
    times.turns_ns.reserve(packets / kFrameVectorSize / 64 + 1);

    Logger logger(LogLevel::kWarning, LogFormat::kText);
    const auto wake = std::make_shared<WakeEvent>();
    const auto queue = std::make_shared<RecordQueue>("flood", 65536, wake);
    auto source = std::make_unique<FloodSource>(flows, packets, times);
    FloodSource* flood = source.get();
    MeteringProcess process({1, "flood", false}, options, std::move(source), {queue}, logger);
    const auto before_open = Steady::now();
    if (auto opened = process.open(); !opened) return 1;
    const auto opened = Steady::now();
    std::jthread reader([&](std::stop_token) {
        while (!queue->ended()) {
            wake->wait(100);
            while (queue->try_pop()) {
            }
        }
    });
    std::jthread meter([&](std::stop_token stop) { [[maybe_unused]] auto status = process.run(std::move(stop)); });
    while (!flood->done()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const auto done = Steady::now();
    const auto& counters = process.counters();
    const auto ms = [](auto d) {
        return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
    };
    std::printf(
        "flows %llu, packets %llu, table %.0f MiB, prefaulted %.0f MiB, huge pages %.0f MiB, open %ld ms, run %ld ms\n",
        static_cast<unsigned long long>(counters.flows_created.get()),
        static_cast<unsigned long long>(counters.packets.get()),
        static_cast<double>(counters.table_octets.get()) / 1048576,
        static_cast<double>(counters.prefaulted_octets.get()) / 1048576,
        static_cast<double>(counters.huge_page_octets.get()) / 1048576, ms(opened - before_open), ms(done - opened));
    meter.request_stop();
    meter.join();
    print("vectors", times.vectors_ns);
    print("turns", times.turns_ns);
    std::printf("longest_pause_us %llu\n", static_cast<unsigned long long>(counters.longest_pause_ns.get() / 1000));
    return 0;
}
