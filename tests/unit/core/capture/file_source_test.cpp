// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "core/capture/packet_source.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/pcap_writer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nfstreamd {
namespace {

using namespace test;
using std::chrono::milliseconds;

using Octets = std::vector<std::uint8_t>;

// IPv4 with UDP from port `source` to 53, behind an Ethernet header or bare.
Octets udp_frame(std::uint8_t source, bool ethernet = true) {
    Octets frame = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, source, 0, 53, 0, 8, 0, 0};
    constexpr std::uint8_t kEthernet[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    if (ethernet) frame.insert(frame.begin(), kEthernet, kEthernet + 14);
    return frame;
}

std::string small_file(const TemporaryFolder& folder, const std::string& name, std::vector<std::uint8_t> sources,
                       bool ethernet = true) {
    PcapWriter file(ethernet ? 1 : 101);
    for (const auto source : sources) file.add(source, 0, udp_frame(source, ethernet));
    return file.save(folder.path(name));
}

void append(Octets& to, std::initializer_list<std::uint32_t> words) {
    for (const std::uint32_t word : words) {
        const auto octets = std::bit_cast<std::array<std::uint8_t, 4>>(word);
        to.insert(to.end(), octets.begin(), octets.end());
    }
}

// Section header, one Ethernet interface with time stamps in microseconds.
Octets pcapng_header() {
    Octets result;
    append(result, {0x0A0D0D0A, 28, 0x1A2B3C4D, 0x00000001, 0xffffffff, 0xffffffff, 28});
    append(result, {1, 20, 1, 65535, 20});
    return result;
}

Octets pcapng_packet(std::uint64_t microseconds, Octets frame) {
    const auto captured = static_cast<std::uint32_t>(frame.size());
    frame.resize((frame.size() + 3) / 4 * 4);
    const auto length = static_cast<std::uint32_t>(32 + frame.size());
    Octets result;
    append(result, {6, length, 0, static_cast<std::uint32_t>(microseconds >> 32),
                    static_cast<std::uint32_t>(microseconds), captured, captured});
    result.insert(result.end(), frame.begin(), frame.end());
    append(result, {length});
    return result;
}

std::string save(const std::string& path, const Octets& octets) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
    return path;
}

void read_all(PacketSource& source, CollectingSink& sink) {
    for (;;) {
        auto outcome = source.poll(sink, milliseconds(0));
        REQUIRE(outcome);
        if (outcome.value() == PollOutcome::kEnd) return;
    }
}

std::vector<int> seconds_of(const CollectingSink& sink) {
    std::vector<int> result;
    for (const auto& frame : sink.frames) result.push_back(static_cast<int>(frame.timestamp / 1'000'000'000));
    return result;
}

TEST_CASE("FileSource: several files are one input, in the order given, with their link types") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    const std::vector files = {small_file(folder, "b.pcap", {3, 4}), small_file(folder, "none.pcap", {}),
                               small_file(folder, "a.pcap", {1}, false), save(folder.path("c.pcapng"), [] {
                                   auto octets = pcapng_header();
                                   for (int i = 0; i < 100; i++) {
                                       const auto block = pcapng_packet(9'000'000, udp_frame(9));
                                       octets.insert(octets.end(), block.begin(), block.end());
                                   }
                                   return octets;
                               }())};
    const auto source = make_file_source(files, {}, log.logger());
    REQUIRE(source->open());
    read_all(*source, sink);
    auto expected = std::vector{3, 4, 1};
    expected.resize(103, 9);
    CHECK(seconds_of(sink) == expected);
    CHECK(sink.frames[0].link_type == 1);
    CHECK(sink.frames[2].link_type == 12);
    CHECK(sink.frames[102].octets == udp_frame(9));
    CHECK(sink.largest_vector == kFrameVectorSize);
    CHECK(source->counters().frames.get() == 103);
    CHECK(source->counters().octets.get() == 102 * 42 + 28);
    CHECK(source->counters().opens.get() == 4);
    CHECK(source->counters().failures.get() == 0);
    CHECK(source->describe().state == "finished");
    CHECK(log.text() == "");
}

TEST_CASE("FileSource: progress has all octets of all files at open and ends complete") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    const std::vector files = {small_file(folder, "a.pcap", Octets(200, 1)), small_file(folder, "b.pcap", {2})};
    const auto source = make_file_source(files, {}, log.logger());
    REQUIRE(source->open());
    const std::uint64_t total = 24 + 200 * 58 + 24 + 58;
    CHECK(source->progress().total == total);
    CHECK(source->progress().done == 0);
    read_all(*source, sink);
    CHECK(source->progress().done == total);
    CHECK(source->progress().total == total);
}

TEST_CASE("FileSource: a call reads a bounded number of frames and says where it stands") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    const auto source = make_file_source({small_file(folder, "a.pcap", Octets(10000, 1))}, {}, log.logger());
    REQUIRE(source->open());
    REQUIRE(source->poll(sink, milliseconds(0)).value() == PollOutcome::kFrames);
    CHECK(sink.frames.size() <= 64 * kFrameVectorSize);
    CHECK(source->progress().done == 24 + sink.frames.size() * 58);
    CHECK(source->describe().state == "reading");
    CHECK(source->describe().name == folder.path("a.pcap"));
    CHECK(source->describe().link_type == "EN10MB");
    CHECK(source->describe().timestamp_precision == "micro");
    read_all(*source, sink);
    CHECK(sink.frames.size() == 10000);
}

TEST_CASE("FileSource: every file is checked before the first is read") {
    const TemporaryFolder folder;
    CapturedLog log;
    const auto good = small_file(folder, "good.pcap", {1});
    struct {
        std::string path, reason;
    } const kBad[] = {
        {folder.path("absent.pcap"), "No such file or directory"},
        {folder.path("."), "Is a directory"},
        {save(folder.path("empty.pcap"), {}), "truncated dump file; tried to read 4 file header bytes, only got 0"},
        {save(folder.path("text.pcap"), Octets(100, 'x')), "unknown file format"},
        {save(folder.path("short.pcap"), {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0}), "truncated dump file"},
    };
    for (const auto& bad : kBad) {
        CAPTURE(bad.path);
        const auto status = make_file_source({good, bad.path}, {}, log.logger())->open();
        REQUIRE(!status);
        CHECK(status.error().code == ErrorCode::kIo);
        CHECK(status.error().where == bad.path);
        CHECK(status.error().message.find(bad.reason) != std::string::npos);
    }
}

TEST_CASE("FileSource: after a file that ends inside a packet or is damaged, the next one follows") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    PcapWriter cut, damaged;
    cut.add(1, 0, udp_frame(1));
    cut.add(1, 0, udp_frame(1));
    cut.octets().pop_back();
    damaged.add(2, 0, udp_frame(2));
    damaged.add_header(2, 0, 0xfffffff0, 60);
    damaged.add(2, 0, udp_frame(2));
    auto cut_ng = pcapng_header();
    const auto block = pcapng_packet(4'000'000, udp_frame(4));
    cut_ng.insert(cut_ng.end(), block.begin(), block.end());
    cut_ng.insert(cut_ng.end(), block.begin(), block.end() - 1);

    const std::vector files = {cut.save(folder.path("cut.pcap")), damaged.save(folder.path("damaged.pcap")),
                               save(folder.path("cut.pcapng"), cut_ng), small_file(folder, "good.pcap", {3})};
    const auto source = make_file_source(files, {}, log.logger());
    REQUIRE(source->open());
    read_all(*source, sink);
    CHECK(seconds_of(sink) == std::vector{1, 2, 4, 3});
    CHECK(source->counters().failures.get() == 3);
    CHECK(log.contains("capture file ends inside a packet file=" + files[0] + " offset=82 "));
    CHECK(log.contains("capture file is damaged file=" + files[1] + " offset=82 "));
    CHECK(log.contains("capture file ends inside a packet file=" + files[2] + " offset=124 "));
    CHECK(log.count("\n") == 3);
    CHECK(source->progress().done == source->progress().total);
}

TEST_CASE("FileSource: only frames that match the filter are delivered, whatever the link type") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    CaptureOptions options;
    options.bpf_filter = "udp src port 7";
    const std::vector files = {small_file(folder, "a.pcap", {1, 7, 2, 7, 3}),
                               small_file(folder, "b.pcap", {7, 1, 7}, false), small_file(folder, "c.pcap", {7})};
    const auto source = make_file_source(files, options, log.logger());
    REQUIRE(source->open());
    read_all(*source, sink);
    CHECK(seconds_of(sink) == std::vector{7, 7, 7, 7, 7});
    CHECK(source->counters().frames.get() == 5);
    CHECK(source->counters().filtered.get() == 4);
    CHECK(source->counters().octets.get() == 3 * 42 + 2 * 28);
}

TEST_CASE("FileSource: a bad filter is an error at open, in libpcap's words") {
    const TemporaryFolder folder;
    CapturedLog log;
    CaptureOptions options;
    options.bpf_filter = "udp and and";
    const auto status = make_file_source({small_file(folder, "a.pcap", {1})}, options, log.logger())->open();
    REQUIRE(!status);
    CHECK(status.error().code == ErrorCode::kInvalidArgument);
    CHECK(status.error().message.find("syntax error") != std::string::npos);
}

TEST_CASE("FileSource: snapshot length and buffer size are for live captures only") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    CaptureOptions options;
    options.snapshot_length = 16;
    options.socket_buffer_size = 4096;
    const auto source = make_file_source({small_file(folder, "a.pcap", {1})}, options, log.logger());
    REQUIRE(source->open());
    read_all(*source, sink);
    CHECK(sink.frames.at(0).octets == udp_frame(1));
}

TEST_CASE("FileSource: frames shorter than on the wire are counted, octets are those of the wire") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    PcapWriter file;
    file.add(1, 0, udp_frame(1), 1500);
    file.add(1, 0, udp_frame(1));
    const auto source = make_file_source({file.save(folder.path("a.pcap"))}, {}, log.logger());
    REQUIRE(source->open());
    read_all(*source, sink);
    CHECK(source->counters().truncated.get() == 1);
    CHECK(source->counters().octets.get() == 1542);
}

TEST_CASE("FileSource: a link type nobody decodes is delivered and told once") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    PcapWriter file(195);  // IEEE 802.15.4
    file.add(1, 0, udp_frame(1));
    const std::vector files = {file.save(folder.path("a.pcap")), file.save(folder.path("b.pcap"))};
    const auto source = make_file_source(files, {}, log.logger());
    REQUIRE(source->open());
    read_all(*source, sink);
    CHECK(sink.frames.size() == 2);
    CHECK(log.count("link type not supported, its packets are ignored link_type=IEEE802_15_4") == 1);
    CHECK(log.count("\n") == 1);
}

TEST_CASE("FileSource: pcapng times that nanoseconds cannot hold are cut, not wrapped") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    auto octets = pcapng_header();
    const auto block = pcapng_packet(0xffffffffffffffff, udp_frame(1));
    octets.insert(octets.end(), block.begin(), block.end());
    const auto source = make_file_source({save(folder.path("a.pcapng"), octets)}, {}, log.logger());
    REQUIRE(source->open());
    read_all(*source, sink);
    CHECK(sink.frames.at(0).timestamp == std::numeric_limits<TimestampNs>::max());
}

class Fifo {
public:
    explicit Fifo(const TemporaryFolder& folder) : path_(folder.path("fifo")) {
        REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    }
    ~Fifo() { close(); }
    Fifo(const Fifo&) = delete;
    Fifo& operator=(const Fifo&) = delete;
    const std::string& path() const { return path_; }
    void write(std::span<const std::uint8_t> octets) {
        if (descriptor_ < 0) descriptor_ = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK);
        REQUIRE(::write(descriptor_, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()));
    }
    void close() {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }

private:
    const std::string path_;
    int descriptor_ = -1;
};

TEST_CASE("FileSource: a pipe is read as its writer goes on, without waiting for it") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    Octets whole;
    SUBCASE("classic pcap") {
        PcapWriter file;
        file.add(1, 0, udp_frame(1));
        file.add(2, 0, udp_frame(2));
        whole = file.octets();
    }
    SUBCASE("pcapng") {
        whole = pcapng_header();
        for (const std::uint8_t i : {1, 2}) {
            const auto block = pcapng_packet(i * 1'000'000u, udp_frame(i));
            whole.insert(whole.end(), block.begin(), block.end());
        }
    }
    const std::size_t second = whole.size() - (whole[0] == 0x0a ? 76 : 58);
    Fifo fifo(folder);
    const auto source = make_file_source({fifo.path()}, {}, log.logger());
    REQUIRE(source->open());
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kIdle);
    const std::span octets(whole);
    fifo.write(octets.first(10));
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kIdle);
    fifo.write(octets.subspan(10, second - 10));
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kFrames);
    CHECK(seconds_of(sink) == std::vector{1});
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kIdle);
    fifo.write(octets.subspan(second));
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kFrames);
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kIdle);
    fifo.close();
    read_all(*source, sink);
    CHECK(seconds_of(sink) == std::vector{1, 2});
    CHECK(source->progress().done == whole.size());
    CHECK(source->progress().total == whole.size());
    CHECK(log.text() == "");
}

TEST_CASE("FileSource: what a pipe has given at once comes without a word more from its writer") {
    constexpr int kFrames = 200;  // more than one call reads, less than a reader holds
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    Octets whole = pcapng_header();
    for (int i = 0; i < kFrames; ++i) {
        const auto block = pcapng_packet(1'000'000u, udp_frame(1));
        whole.insert(whole.end(), block.begin(), block.end());
    }
    Fifo fifo(folder);
    const auto source = make_file_source({fifo.path()}, {}, log.logger());
    REQUIRE(source->open());
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kIdle);
    fifo.write(whole);
    while (source->poll(sink, milliseconds(0)).value() == PollOutcome::kFrames) continue;
    CHECK(seconds_of(sink) == std::vector(kFrames, 1));
}

TEST_CASE("FileSource: a pipe that breaks off inside a packet is told, one that is no capture is an error") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    Fifo fifo(folder);
    const auto source = make_file_source({fifo.path()}, {}, log.logger());
    REQUIRE(source->open());
    REQUIRE(source->poll(sink, milliseconds(0)).value() == PollOutcome::kIdle);
    SUBCASE("breaks off") {
        PcapWriter file;
        file.add(1, 0, udp_frame(1));
        fifo.write(std::span(file.octets()).first(70));
        fifo.close();
        read_all(*source, sink);
        CHECK(sink.frames.empty());
        CHECK(log.contains("capture file ends inside a packet file=" + fifo.path() + " offset=24 "));
    }
    SUBCASE("no capture") {
        fifo.write(Octets(100, 'x'));
        auto outcome = source->poll(sink, milliseconds(0));
        REQUIRE(!outcome);
        CHECK(outcome.error().code == ErrorCode::kIo);
        CHECK(outcome.error().where == fifo.path());
    }
}

TEST_CASE("FileSource: wake() ends the wait for a silent pipe") {
    const TemporaryFolder folder;
    CapturedLog log;
    CollectingSink sink;
    const Fifo fifo(folder);
    const auto source = make_file_source({fifo.path()}, {}, log.logger());
    REQUIRE(source->open());
    const auto begin = std::chrono::steady_clock::now();
    std::jthread waker([&source] { source->wake(); });
    CHECK(source->poll(sink, std::chrono::minutes(1)).value() == PollOutcome::kIdle);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
}

}  // namespace
}  // namespace nfstreamd
