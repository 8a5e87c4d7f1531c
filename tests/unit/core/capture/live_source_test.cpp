// SPDX-License-Identifier: Apache-2.0
// Captures in a network namespace of its own, where interfaces can come and go.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>

#include "core/capture/packet_source.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/network_namespace.hpp"

namespace nfstreamd {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint16_t kExperimental = 0x88b5;  // IEEE 802 local experimental EtherType
constexpr auto kPatience = std::chrono::seconds(20);

// Sends frames of the experimental type with `size` octets out of `interface`.
void send_frames(const char* interface, int count, std::size_t size = 60, bool tagged = false) {
    const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(kExperimental));
    REQUIRE(descriptor >= 0);
    std::vector<std::uint8_t> frame(size, 0x5a);
    const std::uint8_t header[14] = {2, 0, 0, 0, 0, 0x0a, 2, 0, 0, 0, 0, 0x0b, 0x88, 0xb5};
    std::memcpy(frame.data(), header, sizeof header);
    if (tagged) {  // VLAN 77
        const std::uint8_t tag[6] = {0x81, 0, 0, 77, 0x88, 0xb5};
        std::memcpy(frame.data() + 12, tag, sizeof tag);
    }
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    for (int i = 0; i < count; i++) {
        frame[tagged ? 18 : 14] = static_cast<std::uint8_t>(i);
        ::sendto(descriptor, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    ::close(descriptor);
}

// Polls until `done`, at most kPatience.
bool poll_until(PacketSource& source, CollectingSink& sink, const std::function<bool()>& done) {
    for (const auto end = steady_clock::now() + kPatience; steady_clock::now() < end;) {
        REQUIRE(source.poll(sink, milliseconds(100)));
        if (done()) return true;
    }
    return false;
}

CaptureOptions only_ours() {
    CaptureOptions options;
    options.bpf_filter = "ether proto 0x88b5";
    return options;
}

TEST_CASE("LiveSource: datagrams on the loopback arrive once each, with their times") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    CaptureOptions options;
    options.bpf_filter = "udp dst port 9";
    SUBCASE("microseconds") {}
    SUBCASE("nanoseconds") {
        options.timestamp_precision = TimestampPrecision::kNano;
    }
    const auto source = make_live_source("lo", options, log.logger());
    REQUIRE(source->open());
    CHECK(source->counters().up.get() == 1);

    const auto before = std::chrono::system_clock::now().time_since_epoch() - milliseconds(1);
    const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 100; i++) {
        // a closed port: its ICMP error fails every other send, which is then repeated
        while (::sendto(descriptor, "datagram", 8, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 8) {
        }
    }
    ::close(descriptor);
    REQUIRE(poll_until(*source, sink, [&] { return sink.frames.size() >= 100; }));
    const auto after = std::chrono::system_clock::now().time_since_epoch() + milliseconds(1);
    CHECK(source->poll(sink, milliseconds(120)).value() == PollOutcome::kIdle);
    REQUIRE(sink.frames.size() == 100);
    for (const auto& frame : sink.frames) {
        CHECK(frame.octets.size() == 14 + 20 + 8 + 8);
        CHECK(frame.link_type == 1);
        CHECK(frame.timestamp >= std::chrono::nanoseconds(before).count());
        CHECK(frame.timestamp <= std::chrono::nanoseconds(after).count());
    }
    CHECK(sink.largest_vector <= kFrameVectorSize);
    CHECK(source->counters().frames.get() == 100);
    CHECK(source->counters().octets.get() == 5000);
    const auto description = source->describe();
    CHECK(description.state == "up");
    CHECK(description.interface_index == 1);
    CHECK(description.link_type == "EN10MB");
    CHECK(description.timestamp_type == "host");
    CHECK(description.timestamp_precision ==
          (options.timestamp_precision == TimestampPrecision::kNano ? "nano" : "micro"));
}

TEST_CASE("LiveSource: a packet has the same time in all captures of its interface") {
    const NetworkNamespace space;
    if (!space) return;
    add_pair();
    CapturedLog log;
    CollectingSink sinks[3];
    std::vector<std::unique_ptr<PacketSource>> sources;
    for (int i = 0; i < 3; i++) {
        sources.push_back(make_live_source("cap0", only_ours(), log.logger()));
        REQUIRE(sources.back()->open());
    }
    send_frames("cap1", 200);
    for (std::size_t i = 0; i < 3; i++)
        REQUIRE(poll_until(*sources[i], sinks[i], [&] { return sinks[i].frames.size() == 200; }));
    CHECK(sinks[0].frames == sinks[1].frames);
    CHECK(sinks[0].frames == sinks[2].frames);
}

TEST_CASE("LiveSource: an interface that comes, goes and comes again is captured each time") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    const auto source = make_live_source("cap0", only_ours(), log.logger());
    REQUIRE(source->open());
    CHECK(source->poll(sink, milliseconds(0)).value() == PollOutcome::kIdle);
    CHECK(source->describe().state.starts_with("waiting: "));
    CHECK(source->counters().up.get() == 0);
    CHECK(log.count("interface not available, trying again until it is interface=cap0") == 1);

    for (std::size_t round = 1; round <= 2; round++) {
        add_pair();
        REQUIRE(poll_until(*source, sink, [&] { return source->counters().up.get() == 1; }));
        CHECK(source->describe().state == "up");
        CHECK(source->describe().interface_index == ::if_nametoindex("cap0"));
        CHECK(source->hardware_address() == std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 0x0a});
        send_frames("cap1", 50);
        CHECK(poll_until(*source, sink, [&] { return sink.frames.size() >= 50 * round; }));
        CHECK(sink.frames.size() == 50 * round);

        REQUIRE(ip("link del cap0"));
        REQUIRE(poll_until(*source, sink, [&] { return source->counters().up.get() == 0; }));
        CHECK(source->describe().state.starts_with("waiting: "));
        CHECK(source->counters().opens.get() == round);
        CHECK(log.count("capture started interface=cap0") == static_cast<int>(round));
        CHECK(log.count("interface not available") == static_cast<int>(round + 1));
    }
    CHECK(source->counters().failures.get() >= 3);
}

TEST_CASE("LiveSource: an interface that is down is waited for, and going down later loses nothing") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    add_pair();
    REQUIRE(ip("link set cap0 down"));
    const auto source = make_live_source("cap0", only_ours(), log.logger());
    REQUIRE(source->open());
    CHECK(source->describe().state.starts_with("waiting: "));
    REQUIRE(ip("link set cap0 up"));
    REQUIRE(poll_until(*source, sink, [&] { return source->counters().up.get() == 1; }));
    send_frames("cap1", 5);
    CHECK(poll_until(*source, sink, [&] { return sink.frames.size() == 5; }));
    REQUIRE(ip("link set cap0 down"));
    REQUIRE(source->poll(sink, milliseconds(100)));
    REQUIRE(ip("link set cap0 up"));
    REQUIRE(poll_until(*source, sink, [&] { return source->counters().up.get() == 1; }));
    send_frames("cap1", 5);
    CHECK(poll_until(*source, sink, [&] { return sink.frames.size() == 10; }));
}

TEST_CASE("LiveSource: a required interface that is missing or lost is an error") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    auto options = only_ours();
    options.required = true;
    const auto source = make_live_source("cap0", options, log.logger());
    const auto missing = source->open();
    REQUIRE(!missing);
    CHECK(missing.error().code == ErrorCode::kUnavailable);
    CHECK(missing.error().where == "cap0");
    CHECK(missing.error().message.find("available: ") != std::string::npos);
    CHECK(missing.error().message.find("lo") != std::string::npos);

    add_pair();
    REQUIRE(source->open());
    REQUIRE(ip("link del cap0"));
    for (const auto end = steady_clock::now() + kPatience; steady_clock::now() < end;) {
        auto outcome = source->poll(sink, milliseconds(100));
        if (outcome) continue;
        CHECK(outcome.error().code == ErrorCode::kUnavailable);
        return;
    }
    FAIL("the loss was not noticed");
}

TEST_CASE("LiveSource: frames cut by the snapshot length are counted with their wire length") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    auto options = only_ours();
    options.snapshot_length = 100;
    add_pair();
    const auto source = make_live_source("cap0", options, log.logger());
    REQUIRE(source->open());
    send_frames("cap1", 3, 1400);
    send_frames("cap1", 2, 80);
    REQUIRE(poll_until(*source, sink, [&] { return sink.frames.size() == 5; }));
    CHECK(sink.frames[0].octets.size() == 100);
    CHECK(sink.frames[0].wire_length == 1400);
    CHECK(source->counters().truncated.get() == 3);
    CHECK(source->counters().octets.get() == 3 * 1400 + 2 * 80);
}

TEST_CASE("LiveSource: what the ring cannot hold is counted: captured and dropped are all that was sent") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    auto options = only_ours();
    options.socket_buffer_size = 256 * 1024;
    options.snapshot_length = 2048;
    add_pair();
    const auto source = make_live_source("cap0", options, log.logger());
    REQUIRE(source->open());
    constexpr int kSent = 5000;
    send_frames("cap1", kSent, 1400);
    REQUIRE(poll_until(*source, sink, [&] {
        return source->counters().frames.get() + source->counters().kernel_dropped.get() >= kSent;
    }));
    CHECK(source->counters().kernel_dropped.get() > 0);
    CHECK(source->counters().frames.get() + source->counters().kernel_dropped.get() == kSent);
    CHECK(source->counters().frames.get() == sink.frames.size());
}

TEST_CASE("LiveSource: the ring is read in place, and shows how full it is") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    auto options = only_ours();
    options.socket_buffer_size = 1024 * 1024;
    add_pair();
    const auto source = make_live_source("cap0", options, log.logger());
    CHECK(source->fill_percent() == 0);
    REQUIRE(source->open());
    CHECK(source->describe().ring_octets == 1024 * 1024);
    CHECK(source->fill_percent() == 0);
    send_frames("cap1", 1000, 1400);
    const auto filled = [&] { return source->fill_percent() == 100; };
    for (const auto end = steady_clock::now() + kPatience; !filled() && steady_clock::now() < end;)
        std::this_thread::sleep_for(milliseconds(1));
    CHECK(filled());
    // all of it is readable, the ring goes round, and nothing comes twice
    std::size_t expected = 0;
    for (int round = 0; round < 3; round++) {
        send_frames("cap1", 300, 1000);
        REQUIRE(poll_until(*source, sink, [&] {
            expected = 1000 + static_cast<std::size_t>(round + 1) * 300 - source->counters().kernel_dropped.get();
            return source->fill_percent() == 0 && sink.frames.size() >= expected;
        }));
    }
    CHECK(sink.frames.size() == expected);
}

TEST_CASE("LiveSource: a VLAN tag that the kernel keeps apart is back in the frame, and counts") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    CaptureOptions options;
    options.snapshot_length = 64;
    SUBCASE("every frame") {}
    SUBCASE("by a filter") {
        options.bpf_filter = "vlan 77 and ether proto 0x88b5";
    }
    add_pair();
    const auto source = make_live_source("cap0", options, log.logger());
    REQUIRE(source->open());
    REQUIRE(source->describe().ring_octets > 0);
    send_frames("cap1", 5, 104, true);
    const auto is_ours = [](const auto& frame) {
        return frame.octets.size() > 18 && frame.octets[12] == 0x81 && frame.octets[16] == 0x88 &&
               frame.octets[17] == 0xb5;
    };
    const auto ours = [&] { return std::count_if(sink.frames.begin(), sink.frames.end(), is_ours) == 5; };
    REQUIRE(poll_until(*source, sink, ours));
    for (const auto& frame : sink.frames) {
        if (!is_ours(frame)) continue;
        CHECK(frame.octets.size() == 64);
        CHECK(frame.wire_length == 104);
        CHECK((frame.octets[14] & 15) == 0);
        CHECK(frame.octets[15] == 77);
        CHECK(frame.octets[5] == 0x0a);
        CHECK(frame.octets[11] == 0x0b);
    }
}

TEST_CASE("LiveSource: what came before the filter is not delivered") {
    const NetworkNamespace space;
    if (!space) return;
    add_pair();
    std::jthread others([](std::stop_token stop) {
        const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        sockaddr_ll to{};
        to.sll_family = AF_PACKET;
        to.sll_ifindex = static_cast<int>(::if_nametoindex("cap1"));
        const std::uint8_t frame[60] = {2, 0, 0, 0, 0, 0x0a, 2, 0, 0, 0, 0, 0x0b, 0x88, 0xb6};
        while (!stop.stop_requested())
            ::sendto(descriptor, frame, sizeof frame, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
        ::close(descriptor);
    });
    for (int attempt = 0; attempt < 10; attempt++) {
        CapturedLog log;
        CollectingSink sink;
        const auto source = make_live_source("cap0", only_ours(), log.logger());
        REQUIRE(source->open());
        send_frames("cap1", 3);
        REQUIRE(poll_until(*source, sink, [&] { return sink.frames.size() >= 3; }));
        CHECK(sink.frames.size() == 3);
        for (const auto& frame : sink.frames) CHECK(frame.octets[13] == 0xb5);
    }
}

TEST_CASE("LiveSource: `any` tells the interface of each packet") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    CaptureOptions options;
    options.bpf_filter = "ether proto 0x88b5 and inbound";
    add_pair();
    const auto source = make_live_source("any", options, log.logger());
    REQUIRE(source->open());
    send_frames("cap1", 1);
    REQUIRE(poll_until(*source, sink, [&] { return !sink.frames.empty(); }));
    CHECK(sink.frames[0].link_type == 276);  // LINUX_SLL2
    const auto& octets = sink.frames[0].octets;
    CHECK(octets.at(7) == ::if_nametoindex("cap0"));
    CHECK(source->describe().ring_octets == 0);  // libpcap makes its header
}

TEST_CASE("LiveSource: options that can never work are errors at open, also without the interface") {
    CapturedLog log;
    const auto error_of = [&log](const std::string& interface, const CaptureOptions& options) {
        const auto status = make_live_source(interface, options, log.logger())->open();
        REQUIRE(!status);
        CHECK(status.error().code == ErrorCode::kInvalidArgument);
        return status.error().message;
    };
    CaptureOptions filter, type, size;
    filter.bpf_filter = "nonsense and";
    CHECK(error_of("absent0", filter).find("syntax error") != std::string::npos);
    type.timestamp_type = "sundial";
    CHECK(error_of("absent0", type).find("sundial") != std::string::npos);
    size.socket_buffer_size = std::uint64_t{1} << 32;
    CHECK(error_of("absent0", size).find("socket_buffer_size") != std::string::npos);
    CHECK(error_of("a-name-that-is-too-long", {}).find("no interface name") != std::string::npos);
}

TEST_CASE("LiveSource: a time stamp type the interface lacks falls back to the default with a warning") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CaptureOptions options;
    options.timestamp_type = "adapter";
    const auto source = make_live_source("lo", options, log.logger());
    REQUIRE(source->open());
    CHECK(source->describe().timestamp_type == "host");
    CHECK(log.contains("timestamp type refused, using the default interface=lo timestamp_type=adapter"));
}

TEST_CASE("LiveSource: wake() ends the wait for packets") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    const auto source = make_live_source("lo", only_ours(), log.logger());
    REQUIRE(source->open());
    const auto begin = steady_clock::now();
    std::jthread waker([&source] { source->wake(); });
    CHECK(source->poll(sink, std::chrono::minutes(1)).value() == PollOutcome::kIdle);
    CHECK(steady_clock::now() - begin < std::chrono::seconds(30));
}

TEST_CASE("LiveSource: wake() ends the wait for an interface") {
    const NetworkNamespace space;
    if (!space) return;
    CapturedLog log;
    CollectingSink sink;
    // The next try is half a second away: it must once be quicker, however busy the machine.
    bool quick = false;
    for (int attempt = 0; attempt < 20 && !quick; attempt++) {
        const auto source = make_live_source("absent0", only_ours(), log.logger());
        REQUIRE(source->open());
        const auto begin = steady_clock::now();
        source->wake();
        CHECK(source->poll(sink, std::chrono::minutes(1)).value() == PollOutcome::kIdle);
        quick = steady_clock::now() - begin < milliseconds(400);
    }
    CHECK(quick);
}

}  // namespace
}  // namespace nfstreamd
