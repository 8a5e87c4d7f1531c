// SPDX-License-Identifier: Apache-2.0
// Opening a live capture: TPACKET_V3 by libpcap, non-blocking, filtered in the
// kernel, its ring read by ourselves where that can be. Owned by the live source.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/capture/packet_source.hpp"
#include "core/capture/ring_reader.hpp"

struct pcap;
struct sock_filter;

namespace nfstreamd {

struct LiveStatistics {
    std::uint64_t received = 0, dropped = 0;  // by the kernel; `received` counts those that were dropped, too
    std::uint64_t interface_dropped = 0;      // by the driver
};

struct LiveHandle {
    struct Close {
        void operator()(pcap* handle) const noexcept;
    };
    LiveHandle() = default;
    LiveHandle(LiveHandle&& other) noexcept { *this = std::move(other); }
    LiveHandle& operator=(LiveHandle&& other) noexcept;

    std::unique_ptr<pcap, Close> pcap_handle;  // of one that another process has left: only to compile filters
    int left_descriptor = -1;                  // of such a one, else -1
    std::unique_ptr<RingReader> ring;          // goes before the handle. Null: packets come by pcap_dispatch
    int link_type = 0;                         // DLT_*
    bool nanoseconds = false;                  // as granted
    std::string timestamp_type;                // as granted
    std::uint64_t opening = 0;                 // of a FanoutGroup, when it made the handle
    LiveStatistics statistics;                 // since it was opened, as of the last look

    ~LiveHandle();

    explicit operator bool() const noexcept { return pcap_handle != nullptr; }
    int descriptor() const noexcept;
    // Packets that the kernel has put in a ring that we read, and that have not been read, as of the last look.
    std::uint64_t unread() const noexcept;
};

// What has been added since the last look.
LiveStatistics look_at_statistics(LiveHandle& handle);

// The capture that another process has left: `unread` packets were in its ring then. It has the filter of that
// process. Unavailable: it is none for these options, or of an interface that has gone.
Result<LiveHandle> use_left_handle(int descriptor, std::uint64_t unread, const std::string& interface,
                                   const CaptureOptions& options);
// Octets of the ring that is made for these options.
std::uint64_t ring_octets(const CaptureOptions& options);

// What can be told without the interface; kInvalidArgument.
Status check_live_options(const std::string& interface, const CaptureOptions& options);

// kUnavailable: the interface is missing or down. Restrictions that capturing can
// live with are logged.
Result<LiveHandle> open_live_handle(const std::string& interface, const CaptureOptions& options, Logger& logger);

// Compiled for the handle's link type, run by the kernel; kInvalidArgument.
Status set_live_filter(pcap* handle, const std::string& filter, const std::string& interface);

// Of a ring that we read: whether its interface is still there. kUnavailable: closed for good.
Status check_link(const LiveHandle& handle, const std::string& interface);

// A filter as the kernel runs it.
using FilterProgram = std::vector<sock_filter>;
// For a ring that we read. Empty: the kernel does not run it, so it is libpcap's, and a ring of its own.
// `present` is the filter that it follows; kInvalidArgument.
Result<FilterProgram> compile_live_filter(const LiveHandle& handle, const CaptureOptions& present,
                                          const CaptureOptions& wanted, const std::string& interface);
// At once: each packet passes the one or the other.
Status attach_filter(const LiveHandle& handle, const FilterProgram& program, const std::string& interface);

// No packet passes the filter from now on; or every one does.
Status close_filter(const LiveHandle& handle, const std::string& interface);
Status open_filter(const LiveHandle& handle, const CaptureOptions& options, const std::string& interface);

// Of a system call on a capture's socket, by errno. kUnavailable: the interface is down or gone.
Error system_error(const char* what, const std::string& interface);

// The text of an error or warning code that a libpcap function returned.
std::string libpcap_error_text(pcap* handle, int code);

}  // namespace nfstreamd
