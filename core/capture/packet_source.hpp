// SPDX-License-Identifier: Apache-2.0
// Where packets come from: a live interface, capture files, or a test. Owned by
// one metering thread, which calls everything except wake().
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/counter.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/packet/frame.hpp"

struct sock_filter;

namespace nfstreamd {

enum class TimestampPrecision { kMicro, kNano };

// What the operator chose for one capture (nfstream's names). `interface` is
// used by live sources, `files` by file sources.
struct CaptureOptions {
    std::string bpf_filter;
    bool promiscuous_mode = true;
    int snapshot_length = 1536;
    std::uint64_t socket_buffer_size = 0;  // octets; 0: libpcap's default
    std::string timestamp_type;            // pcap-tstamp(7) name; "": the default one
    TimestampPrecision timestamp_precision = TimestampPrecision::kMicro;
    ChecksumMode checksum = ChecksumMode::kOff;
    bool required = false;  // live: missing is fatal
    // Live: so old the kernel lets a block of packets become that does not fill
    // up: the delay of a packet on a quiet link.
    std::chrono::milliseconds block_timeout{50};
    friend bool operator==(const CaptureOptions&, const CaptureOptions&) = default;
};

// Written by the metering thread, read by any. Frames are counted before they
// are decoded; kernel counters are those of this source since the start.
struct CaptureCounters {
    Counter frames, octets;     // handed over; octets as on the wire
    Counter truncated;          // of these, cut by the snapshot length
    Counter filtered;           // files only: read, but not matched by the BPF filter
    Counter kernel_dropped;     // ring full
    Counter unread;             // live: were in the ring when it had to be closed, or in that of a reload that failed
    Counter interface_dropped;  // by the driver
    Counter opens, failures;    // times the capture was opened; lost or not openable
    Counter up;                 // gauge: 1 while capturing
    // several sources as one only
    Counter late;        // of `frames`, handed over after a younger one
    Counter early;       // of `frames`, not held back as long as others needed: no memory left for it
    Counter duplicates;  // of `frames`: another interface had delivered the packet
    Counter held;        // gauge, of `frames`: not handed over so far
};

enum class PollOutcome {
    kFrames,  // something was delivered, or read and filtered out
    kIdle,    // nothing within the wait
    kEnd,     // files only: all input was read
};

// Whether the ring of the one serves the other, whose filter may be another one.
bool same_ring(const CaptureOptions& a, const CaptureOptions& b);

// One of several live sources that share the packets of an interface, fanout.hpp.
class FanoutGroup;
struct FanoutMember {
    std::shared_ptr<FanoutGroup> group;  // null: a source that has all packets
    unsigned index = 0;
};

// What a reload makes of a live capture, prepared by the control thread.
struct CaptureChange {
    CaptureOptions options;
    std::shared_ptr<const std::vector<sock_filter>> filter{};  // for the ring that is there
    bool needs_ring = false;                                   // its filter cannot be had in place
    FanoutMember successor{};  // has been switched to: its ring replaces the one that is there
};

class PacketSource {
public:
    virtual ~PacketSource() = default;

    // Opens what can be opened. A live interface that is not required and not
    // there is no error: poll() keeps trying with back-off.
    virtual Status open() = 0;

    // Delivers frames, waiting at most `wait` for the first one. An error is
    // final: the run cannot go on (required interface gone, file unreadable).
    virtual Result<PollOutcome> poll(FrameSink& sink, std::chrono::milliseconds wait) = 0;

    virtual void wake() noexcept = 0;  // any thread: ends a waiting poll()

    // Live: readable when poll() would deliver; -1: there is none now.
    virtual int descriptor() const noexcept { return -1; }

    // Live: how full the kernel's buffer is with what has not been delivered; by the
    // thread that polls.
    virtual unsigned fill_percent() const noexcept { return 0; }

    // The source is given up: delivers what it holds back to put it in order, and
    // counts what has not been counted yet.
    virtual void finish([[maybe_unused]] FrameSink& sink) noexcept {}

    // Of several sources as one: each of them, at the index that its frames have
    // as RawFrame::source. Any thread.
    virtual std::span<const std::unique_ptr<PacketSource>> members() const noexcept { return {}; }

    // ---- live: of the interface of this name

    // Whether the ring that is there, if any, can have the filter of `wanted`, of the
    // same ring otherwise. Any thread.
    virtual Result<CaptureChange> prepare([[maybe_unused]] const std::string& interface,
                                          const CaptureOptions& wanted) const {
        return CaptureChange{wanted};
    }
    virtual void adopt([[maybe_unused]] const std::string& interface, [[maybe_unused]] CaptureChange change) {}
    // The kernel has told that something about an interface is not as before. Any thread.
    virtual void look_at_interface() noexcept {}

    // Live: no packet is let in from now on.
    virtual void shut() noexcept {}
    // Live: all has been delivered that came before shut(), or came to a ring before it was replaced.
    virtual bool is_empty() const noexcept { return true; }

    // Of several sources as one: gives its members away, which ends it.
    virtual std::vector<std::unique_ptr<PacketSource>> release_members() noexcept { return {}; }

    virtual const CaptureCounters& counters() const noexcept = 0;  // any thread

    // For the status: chosen time stamps, ring, link type. Any thread.
    struct Description {
        std::string name;  // "eth0", "a.pcap"
        std::uint32_t interface_index = 0;
        std::string state;                // "up", "down", "waiting: <why>", "reading"
        std::string link_type;            // "EN10MB"
        std::string timestamp_type;       // as granted, "host"
        std::string timestamp_precision;  // as granted, "micro" or "nano"
        std::uint64_t ring_octets = 0;    // of the kernel's buffer, where it can be seen
        std::uint32_t mtu = 0;            // live
    };
    virtual Description describe() const = 0;

    // Offline: position in all input, in octets, for a progress bar. Any thread.
    struct Progress {
        std::uint64_t done = 0, total = 0;
    };
    virtual Progress progress() const noexcept { return {}; }

    // Hardware address of the interface, all zero when it has none or is a file.
    virtual std::array<std::uint8_t, 6> hardware_address() const noexcept { return {}; }
};

// Live: TPACKET_V3 through libpcap, never in immediate mode. The group of `fanout`
// has been made for the same interface and options.
std::unique_ptr<PacketSource> make_live_source(std::string interface, CaptureOptions options, Logger& logger,
                                               FanoutMember fanout = {});
std::shared_ptr<FanoutGroup> make_fanout_group(std::string interface, CaptureOptions options, unsigned members);

// Capture files in the given order, as one input. Classic pcap files are read
// by our own reader, everything else (pcapng, pipes) by libpcap. One poll()
// delivers `vectors_per_poll` at most: many enough that a call costs nothing per
// packet, few enough that a stop is noticed within a millisecond.
std::unique_ptr<PacketSource> make_file_source(std::vector<std::string> files, CaptureOptions options, Logger& logger,
                                               int vectors_per_poll = 64);

struct InterfaceDescription {
    std::string name, description;
    bool up = false, running = false, loopback = false;
    std::vector<std::string> addresses;
};
Result<std::vector<InterfaceDescription>> list_interfaces();
Status check_bpf_filter(const std::string& filter);  // compiles for Ethernet; needs no privilege
std::string libpcap_version();

}  // namespace nfstreamd
