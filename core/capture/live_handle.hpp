// SPDX-License-Identifier: Apache-2.0
// Opening a live capture: TPACKET_V3 by libpcap, non-blocking, filtered in the
// kernel, its ring read by ourselves where that can be. Owned by the live source.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/capture/packet_source.hpp"
#include "core/capture/ring_reader.hpp"

struct pcap;

namespace nfstreamd {

struct LiveHandle {
    struct Close {
        void operator()(pcap* handle) const noexcept;
    };
    LiveHandle() = default;
    LiveHandle(LiveHandle&&) noexcept = default;
    LiveHandle& operator=(LiveHandle&& other) noexcept;

    std::unique_ptr<pcap, Close> pcap_handle;
    std::unique_ptr<RingReader> ring;  // goes before the handle. Null: packets come by pcap_dispatch
    int link_type = 0;                 // DLT_*
    bool nanoseconds = false;          // as granted
    std::string timestamp_type;        // as granted
    std::uint64_t opening = 0;         // of a FanoutGroup, when it made the handle
};

// What can be told without the interface; kInvalidArgument.
Status check_live_options(const std::string& interface, const CaptureOptions& options);

// kUnavailable: the interface is missing or down. Restrictions that capturing can
// live with are logged.
Result<LiveHandle> open_live_handle(const std::string& interface, const CaptureOptions& options, Logger& logger);

// Compiled for the handle's link type, run by the kernel; kInvalidArgument.
Status set_live_filter(pcap* handle, const std::string& filter, const std::string& interface);

// Of a ring that we read: whether its interface is still there. kUnavailable: closed for good.
Status check_link(const LiveHandle& handle, const std::string& interface);

// Packets that the handle's capture was given before now, and that still are in its ring.
Result<std::uint64_t> waiting_packets(const LiveHandle& handle, const std::string& interface);

// No packet passes the filter from now on; or every one does.
Status close_filter(const LiveHandle& handle, const std::string& interface);
Status open_filter(const LiveHandle& handle, const CaptureOptions& options, const std::string& interface);

// Of a system call on a capture's socket, by errno. kUnavailable: the interface is down or gone.
Error system_error(const char* what, const std::string& interface);

// The text of an error or warning code that a libpcap function returned.
std::string libpcap_error_text(pcap* handle, int code);

}  // namespace nfstreamd
