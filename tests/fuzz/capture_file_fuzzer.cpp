// SPDX-License-Identifier: Apache-2.0
// Capture files: pcap of every kind, pcapng, several as one input, cut anywhere,
// from files and from pipes. The first octet chooses that; with two files the
// length of the first one follows. Of classic pcap our own reader must give what
// libpcap gives.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/capture/file_reader.hpp"
#include "core/capture/libpcap_reader.hpp"
#include "core/capture/packet_source.hpp"
#include "core/capture/pcap_file_reader.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;

constexpr auto kNoWait = std::chrono::milliseconds(0);

struct ReadFrame {
    TimestampNs time;
    std::uint32_t wire_length;
    std::vector<std::uint8_t> octets;
    friend bool operator==(const ReadFrame&, const ReadFrame&) = default;
};

class Sink final : public FrameSink {
public:
    void on_frames(const FrameVector& vector) noexcept override {
        require(!vector.frames.empty() && vector.frames.size() <= kFrameVectorSize, "a vector has its size");
        for (const RawFrame& frame : vector.frames) {
            for (std::uint32_t i = 0; i < frame.captured_length; ++i) sum += frame.data[i];
            ++frames;
            octets += frame.wire_length;
        }
    }
    std::uint64_t frames = 0, octets = 0, sum = 0;
};

Logger& quiet() {
    static Logger logger(LogLevel::kError, LogFormat::kText, -1);
    return logger;
}

void read_as_source(const std::vector<std::string>& files, const char* filter, int vectors) {
    CaptureOptions options;
    options.bpf_filter = filter;
    const auto source = make_file_source(files, options, quiet(), vectors);
    if (!source->open()) return;
    Sink sink;
    for (;;) {
        const auto outcome = source->poll(sink, kNoWait);
        if (!outcome || outcome.value() == PollOutcome::kEnd) break;
        require(outcome.value() == PollOutcome::kFrames || outcome.value() == PollOutcome::kIdle,
                "a poll has an outcome");
    }
    require(source->counters().frames.get() == sink.frames, "frames are counted");
    require(source->counters().octets.get() == sink.octets, "octets are counted");
    const auto progress = source->progress();
    require(progress.done <= progress.total, "progress has an end");
    source->describe();
}

struct Whole {
    std::vector<ReadFrame> frames;
    ReadState end = ReadState::kEnd;
};

Whole read_all(FileReader& reader) {
    Whole whole;
    WakeEvent wake;
    std::array<RawFrame, kFrameVectorSize> frames;
    for (;;) {
        const auto outcome = reader.read(frames, wake, kNoWait);
        if (outcome.state != ReadState::kFrames) {
            whole.end = outcome.state;
            return whole;
        }
        for (const RawFrame& frame : std::span(frames).first(outcome.count))
            whole.frames.push_back(
                {frame.timestamp, frame.wire_length, {frame.data, frame.data + frame.captured_length}});
    }
}

// Ours against libpcap's.
void compare_readers(const std::string& path) {
    InputStream stream(path), other(path);
    if (!stream.open() || !other.open()) return;
    stream.fill_blocking();
    other.fill_blocking();
    const auto reader = make_file_reader(stream);
    const auto libpcap = LibpcapReader::make(other);
    require(reader.has_value() == libpcap.has_value(), "a file is read by both or by neither");
    if (!reader || dynamic_cast<PcapFileReader*>(reader.value().get()) == nullptr) return;
    require(reader.value()->link_type() == libpcap.value()->link_type(), "both tell the same link type");
    const Whole ours = read_all(*reader.value()), theirs = read_all(*libpcap.value());
    require(ours.frames == theirs.frames, "both give the same frames");
    require((ours.end == ReadState::kEnd) == (theirs.end == ReadState::kEnd), "both find the same end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    fuzz::Pieces pieces(input, size);
    const std::uint8_t choice = pieces.octet();
    constexpr std::uint8_t kPipe = 1, kTwoFiles = 2, kFilter = 4, kShortPolls = 8;
    const char* filter = (choice & kFilter) == 0 ? "" : "tcp or udp port 53";
    const int vectors = (choice & kShortPolls) != 0 ? 1 : 64;
    if ((choice & kPipe) != 0) {
        const auto octets = pieces.rest();
        if (octets.empty()) return 0;
        const fuzz::FilledPipe pipe(octets);
        read_as_source({pipe.path()}, filter, vectors);
        return 0;
    }
    const fuzz::MemoryFile first((choice & kTwoFiles) != 0 ? pieces.behind_its_length() : pieces.rest());
    const fuzz::MemoryFile second(pieces.rest());
    std::vector<std::string> files{first.path()};
    if ((choice & kTwoFiles) != 0) files.push_back(second.path());
    read_as_source(files, filter, vectors);
    compare_readers(files.back());
    return 0;
}
