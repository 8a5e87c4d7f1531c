// SPDX-License-Identifier: Apache-2.0
#include "core/capture/live_handle.hpp"

#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <climits>

#include "core/capture/link_type.hpp"
#include "core/capture/packet_filter.hpp"
#include "core/packet/decode.hpp"

namespace nfstreamd {

namespace {

class Opening {
public:
    Opening(const std::string& interface, const CaptureOptions& options, Logger& logger)
        : interface_(interface), options_(options), logger_(logger) {}

    Result<LiveHandle> open(const std::string& timestamp_type) const;

private:
    std::string set_timestamps(pcap_t* handle, const std::string& timestamp_type) const;
    Status activate(pcap_t* handle) const;
    Status set_link_type(pcap_t* handle) const;

    const std::string& interface_;
    const CaptureOptions& options_;
    Logger& logger_;
};

Result<LiveHandle> Opening::open(const std::string& timestamp_type) const {
    char reason[PCAP_ERRBUF_SIZE] = "";
    LiveHandle result;
    result.pcap_handle.reset(pcap_create(interface_.c_str(), reason));
    pcap_t* const handle = result.pcap_handle.get();
    if (handle == nullptr) return Error{ErrorCode::kInternal, reason, interface_};

    pcap_set_snaplen(handle, options_.snapshot_length);
    pcap_set_promisc(handle, options_.promiscuous_mode ? 1 : 0);
    // never immediate mode, which makes libpcap fall back to TPACKET_V2 and a wakeup per packet
    pcap_set_timeout(handle, static_cast<int>(options_.block_timeout.count()));
    if (options_.socket_buffer_size != 0) {
        pcap_set_buffer_size(handle, static_cast<int>(options_.socket_buffer_size));
    }
    result.timestamp_type = set_timestamps(handle, timestamp_type);
    if (auto status = activate(handle); !status) return status.error();
    if (auto status = set_link_type(handle); !status) return status.error();
    if (!options_.bpf_filter.empty()) {
        if (auto status = set_live_filter(handle, options_.bpf_filter, interface_); !status) return status.error();
    }
    if (pcap_setnonblock(handle, 1, reason) != 0) return Error{ErrorCode::kInternal, reason, interface_};
    // A packet has one time for all captures, which tell it apart by that; without
    // this each of them looks at the clock on its own. libpcap asks for it for
    // nanoseconds only.
    const int on = 1;
    ::setsockopt(pcap_fileno(handle), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);

    result.link_type = pcap_datalink(handle);
    result.nanoseconds = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO;
    return result;
}

// Returns the type granted so far.
std::string Opening::set_timestamps(pcap_t* handle, const std::string& timestamp_type) const {
    if (options_.timestamp_precision == TimestampPrecision::kNano &&
        pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) != 0) {
        logger_.warning("nanosecond time stamps refused, using microseconds", {{"interface", interface_}});
    }
    if (timestamp_type.empty()) return "host";
    const int code = pcap_set_tstamp_type(handle, pcap_tstamp_type_name_to_val(timestamp_type.c_str()));
    if (code == 0) return timestamp_type;
    logger_.warning("timestamp type refused, using the default",
                    {{"interface", interface_}, {"timestamp_type", timestamp_type}, {"error", pcap_statustostr(code)}});
    return "host";
}

Status Opening::activate(pcap_t* handle) const {
    const int code = pcap_activate(handle);
    if (code > 0) {
        logger_.warning("capture opened with a restriction",
                        {{"interface", interface_}, {"reason", libpcap_error_text(handle, code)}});
    }
    if (code >= 0) return ok();
    const std::string text = libpcap_error_text(handle, code);
    switch (code) {
        case PCAP_ERROR_PERM_DENIED:
        case PCAP_ERROR_PROMISC_PERM_DENIED:
            return Error{ErrorCode::kPermission,
                         "not permitted to capture: run as root or with CAP_NET_RAW "
                         "(setcap cap_net_raw+ep on the program, AmbientCapabilities= in the unit): " +
                             text,
                         interface_};
        case PCAP_ERROR_NO_SUCH_DEVICE:
        case PCAP_ERROR_IFACE_NOT_UP:
            return Error{ErrorCode::kUnavailable, text, interface_};
        default:
            // It may have gone between two steps of libpcap.
            return Error{interface_ != "any" && ::if_nametoindex(interface_.c_str()) == 0 ? ErrorCode::kUnavailable
                                                                                          : ErrorCode::kIo,
                         text, interface_};
    }
}

Status Opening::set_link_type(pcap_t* handle) const {
    // Cooked packets of "any" tell their interface in the second version only.
    if (pcap_datalink(handle) == DLT_LINUX_SLL) pcap_set_datalink(handle, DLT_LINUX_SLL2);
    const int link_type = pcap_datalink(handle);
    if (is_supported_link_type(link_type)) return ok();
    return Error{ErrorCode::kInvalidArgument, "link type " + link_type_name(link_type) + " is not supported",
                 interface_};
}

}  // namespace

Status set_live_filter(pcap* handle, const std::string& filter, const std::string& interface) {
    bpf_program program{};
    int code = pcap_compile(handle, &program, filter.c_str(), 1, kFilterNetmask);
    if (code == 0) code = pcap_setfilter(handle, &program);
    pcap_freecode(&program);
    if (code == 0) return ok();
    return Error{ErrorCode::kInvalidArgument, "bad BPF filter \"" + filter + "\": " + pcap_geterr(handle), interface};
}

void LiveHandle::Close::operator()(pcap* handle) const noexcept {
    pcap_close(handle);
}

Status check_live_options(const std::string& interface, const CaptureOptions& options) {
    if (interface.empty() || interface.size() >= IFNAMSIZ) {
        return Error{ErrorCode::kInvalidArgument, "is no interface name", interface};
    }
    if (options.socket_buffer_size > INT_MAX) {
        return Error{ErrorCode::kInvalidArgument, "socket_buffer_size must be at most 2147483647", interface};
    }
    if (!options.timestamp_type.empty() && pcap_tstamp_type_name_to_val(options.timestamp_type.c_str()) == PCAP_ERROR) {
        return Error{ErrorCode::kInvalidArgument, "unknown timestamp_type \"" + options.timestamp_type + "\"",
                     interface};
    }
    auto filter = check_bpf_filter(options.bpf_filter);
    if (!filter) return Error{ErrorCode::kInvalidArgument, filter.error().message, interface};
    return ok();
}

Result<LiveHandle> open_live_handle(const std::string& interface, const CaptureOptions& options, Logger& logger) {
    const Opening opening(interface, options, logger);
    auto handle = opening.open(options.timestamp_type);
    if (handle || handle.error().code == ErrorCode::kUnavailable || options.timestamp_type.empty()) return handle;
    // Hardware time stamps may need a privilege that capturing does not.
    auto plain = opening.open({});
    if (plain) {
        logger.warning(
            "timestamp type refused, using the default",
            {{"interface", interface}, {"timestamp_type", options.timestamp_type}, {"error", handle.error().message}});
    }
    return plain;
}

// libpcap says the details of some errors only, and then without the general text.
std::string libpcap_error_text(pcap* handle, int code) {
    const std::string detail = pcap_geterr(handle);
    if (code == PCAP_ERROR || code == PCAP_WARNING) return detail;
    const std::string general = pcap_statustostr(code);
    return detail.empty() || detail == general ? general : general + " (" + detail + ")";
}

}  // namespace nfstreamd
