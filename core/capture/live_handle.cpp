// SPDX-License-Identifier: Apache-2.0
#include "core/capture/live_handle.hpp"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "core/capture/link_type.hpp"
#include "core/capture/packet_filter.hpp"
#include "core/packet/decode.hpp"

namespace nfstreamd {

namespace {

// A third of a second of the smallest packets at 600,000 a second.
constexpr std::uint64_t kUsualRing = 32 * 1024 * 1024;
constexpr std::uint32_t kEverything = 0x40000;

// A filter that the kernel refuses is libpcap's to run, and the kernel has none.
bool runs_in_kernel(pcap_t* handle) {
    socklen_t instructions = 0;
    return ::getsockopt(pcap_fileno(handle), SOL_SOCKET, SO_GET_FILTER, nullptr, &instructions) == 0 &&
           instructions > 0;
}

class Opening {
public:
    Opening(const std::string& interface, const CaptureOptions& options, Logger& logger)
        : interface_(interface), options_(options), logger_(logger) {}

    Result<LiveHandle> open(const std::string& timestamp_type) const;

private:
    std::string set_timestamps(pcap_t* handle, const std::string& timestamp_type) const;
    Status activate(pcap_t* handle) const;
    Status set_link_type(pcap_t* handle) const;
    Status set_filter(LiveHandle& handle) const;

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
    pcap_set_buffer_size(handle, static_cast<int>(ring_octets(options_)));
    result.timestamp_type = set_timestamps(handle, timestamp_type);
    if (auto status = activate(handle); !status) return status.error();
    if (auto status = set_link_type(handle); !status) return status.error();
    result.nanoseconds = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO;
    result.ring = RingReader::attach(handle, ring_octets(options_), result.nanoseconds);
    if (auto status = set_filter(result); !status) return status.error();
    if (pcap_setnonblock(handle, 1, reason) != 0) return Error{ErrorCode::kInternal, reason, interface_};
    // A packet has one time for all captures, which tell it apart by that; without
    // this each of them looks at the clock on its own. libpcap asks for it for
    // nanoseconds only.
    const int on = 1;
    ::setsockopt(pcap_fileno(handle), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);

    result.link_type = pcap_datalink(handle);
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

// libpcap looks itself at what came before its filter; of a ring that we read it is passed over.
Status Opening::set_filter(LiveHandle& handle) const {
    if (handle.ring) {
        if (auto status = close_filter(handle, interface_); !status) return status;
        look_at_statistics(handle);
        handle.ring->skip(handle.unread());
        if (options_.bpf_filter.empty()) return open_filter(handle, options_, interface_);
    }
    if (options_.bpf_filter.empty()) return ok();
    if (auto status = set_live_filter(handle.pcap_handle.get(), options_.bpf_filter, interface_); !status)
        return status;
    if (!runs_in_kernel(handle.pcap_handle.get())) handle.ring.reset();
    return ok();
}

bool attach(int descriptor, FilterProgram instructions) {
    if (instructions.size() > BPF_MAXINSNS) return false;
    const sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
    return ::setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

Status attach(const LiveHandle& handle, sock_filter instruction, const char* what, const std::string& interface) {
    if (attach(handle.descriptor(), FilterProgram{instruction})) return ok();
    return system_error(what, interface);
}

// Whether the kernel runs the second one after the first, with both in memory at once; tried on a socket that
// captures nothing.
bool accepts_in_turn(const FilterProgram& first, const FilterProgram& second) {
    const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return false;
    const bool accepted = attach(descriptor, first) && attach(descriptor, second);
    ::close(descriptor);
    return accepted;
}

}  // namespace

Error system_error(const char* what, const std::string& interface) {
    // an interface that went down meanwhile comes up again
    const auto code =
        errno == ENETDOWN || errno == ENODEV || errno == EINVAL ? ErrorCode::kUnavailable : ErrorCode::kIo;
    return {code, std::string("cannot ") + what + ": " + std::strerror(errno), interface};
}

Status close_filter(const LiveHandle& handle, const std::string& interface) {
    return attach(handle, {BPF_RET | BPF_K, 0, 0, 0}, "close a capture for the while", interface);
}

// What is beyond the snapshot length is not copied into the ring.
Status open_filter(const LiveHandle& handle, const CaptureOptions& options, const std::string& interface) {
    if (!options.bpf_filter.empty()) return set_live_filter(handle.pcap_handle.get(), options.bpf_filter, interface);
    const auto most = handle.ring ? static_cast<std::uint32_t>(options.snapshot_length) : kEverything;
    return attach(handle, {BPF_RET | BPF_K, 0, 0, most}, "open a capture again", interface);
}

LiveHandle::~LiveHandle() {
    ring.reset();
    if (left_descriptor >= 0) ::close(left_descriptor);
}

int LiveHandle::descriptor() const noexcept {
    if (left_descriptor >= 0) return left_descriptor;
    return pcap_handle ? pcap_fileno(pcap_handle.get()) : -1;
}

std::uint64_t LiveHandle::unread() const noexcept {
    return ring ? statistics.received - statistics.dropped - ring->seen() : 0;
}

// libpcap's are of 32 bits and may wrap: differences are added up.
LiveStatistics look_at_statistics(LiveHandle& handle) {
    pcap_stat now{};
    LiveStatistics& sum = handle.statistics;
    if (handle.left_descriptor >= 0) {  // these the kernel counts from one look to the next
        tpacket_stats_v3 counted{};
        socklen_t size = sizeof counted;
        if (::getsockopt(handle.left_descriptor, SOL_PACKET, PACKET_STATISTICS, &counted, &size) != 0) return {};
        sum.received += counted.tp_packets;
        sum.dropped += counted.tp_drops;
        return {counted.tp_packets, counted.tp_drops, 0};
    }
    if (pcap_stats(handle.pcap_handle.get(), &now) != 0) return {};
    const auto since = [](unsigned present, std::uint64_t past) -> std::uint64_t {
        return static_cast<std::uint32_t>(present - static_cast<std::uint32_t>(past));
    };
    const LiveStatistics added{since(now.ps_recv, sum.received), since(now.ps_drop, sum.dropped),
                               since(now.ps_ifdrop, sum.interface_dropped)};
    sum.received += added.received;
    sum.dropped += added.dropped;
    sum.interface_dropped += added.interface_dropped;
    return added;
}

Result<FilterProgram> compile_live_filter(const LiveHandle& handle, const CaptureOptions& present,
                                          const CaptureOptions& wanted, const std::string& interface) {
    const auto compile = [&](const CaptureOptions& options) -> Result<FilterProgram> {
        if (options.bpf_filter.empty())
            return FilterProgram{{BPF_RET | BPF_K, 0, 0, static_cast<std::uint32_t>(options.snapshot_length)}};
        bpf_program program{};
        if (pcap_compile(handle.pcap_handle.get(), &program, options.bpf_filter.c_str(), 1, kFilterNetmask) != 0)
            return Error{ErrorCode::kInvalidArgument,
                         "bad BPF filter \"" + options.bpf_filter + "\": " + pcap_geterr(handle.pcap_handle.get()),
                         interface};
        FilterProgram made;
        for (unsigned i = 0; i < program.bf_len; ++i) {
            const auto& [code, jt, jf, k] = program.bf_insns[i];
            made.push_back({code, jt, jf, k});
        }
        pcap_freecode(&program);
        return made;
    };
    auto program = compile(wanted);
    if (!program) return program;
    const auto before = compile(present);
    if (!before) return before;
    return accepts_in_turn(before.value(), program.value()) ? program : FilterProgram{};
}

Status attach_filter(const LiveHandle& handle, const FilterProgram& program, const std::string& interface) {
    if (attach(handle.descriptor(), program)) return ok();
    return system_error("change the filter", interface);
}

// An interface that is down comes up again and goes on. One that has gone, or has
// another name by now, does not: going down is told once, going for good by the
// address that the socket is bound to alone.
Status check_link(const LiveHandle& handle, const std::string& interface) {
    const int descriptor = handle.descriptor();
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return ok();
    if (error != 0 && error != ENETDOWN) return Error{ErrorCode::kUnavailable, std::strerror(error), interface};
    sockaddr_ll bound{};
    size = sizeof bound;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) == 0 && bound.sll_ifindex > 0 &&
        (error == 0 || ::if_nametoindex(interface.c_str()) == static_cast<unsigned>(bound.sll_ifindex)))
        return ok();
    return Error{ErrorCode::kUnavailable, "The interface disappeared", interface};
}

Status set_live_filter(pcap* handle, const std::string& filter, const std::string& interface) {
    bpf_program program{};
    int code = pcap_compile(handle, &program, filter.c_str(), 1, kFilterNetmask);
    if (code == 0) code = pcap_setfilter(handle, &program);
    pcap_freecode(&program);
    if (code == 0) return ok();
    return Error{ErrorCode::kInvalidArgument, "bad BPF filter \"" + filter + "\": " + pcap_geterr(handle), interface};
}

LiveHandle& LiveHandle::operator=(LiveHandle&& other) noexcept {
    if (this == &other) return *this;
    ring = std::move(other.ring);
    if (left_descriptor >= 0) ::close(left_descriptor);
    left_descriptor = std::exchange(other.left_descriptor, -1);
    pcap_handle = std::move(other.pcap_handle);
    link_type = other.link_type;
    nanoseconds = other.nanoseconds;
    timestamp_type = std::move(other.timestamp_type);
    opening = other.opening;
    statistics = other.statistics;
    return *this;
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

std::uint64_t ring_octets(const CaptureOptions& options) {
    return options.socket_buffer_size != 0 ? options.socket_buffer_size : kUsualRing;
}

Result<LiveHandle> use_left_handle(int descriptor, std::uint64_t unread, const std::string& interface,
                                   const CaptureOptions& options) {
    LiveHandle handle;
    handle.left_descriptor = descriptor;
    if (auto status = check_link(handle, interface); !status) return status.error();
    handle.nanoseconds = options.timestamp_precision == TimestampPrecision::kNano;
    handle.timestamp_type = options.timestamp_type.empty() ? "host" : options.timestamp_type;
    handle.link_type = DLT_EN10MB;
    handle.pcap_handle.reset(pcap_open_dead(handle.link_type, options.snapshot_length));
    handle.ring = RingReader::attach_left(descriptor, ring_octets(options),
                                          static_cast<std::uint32_t>(options.snapshot_length), handle.nanoseconds);
    if (!handle.pcap_handle || !handle.ring) return Error{ErrorCode::kUnavailable, "no ring was left", interface};
    handle.statistics.received = unread;
    return handle;
}

// libpcap says the details of some errors only, and then without the general text.
std::string libpcap_error_text(pcap* handle, int code) {
    const std::string detail = pcap_geterr(handle);
    if (code == PCAP_ERROR || code == PCAP_WARNING) return detail;
    const std::string general = pcap_statustostr(code);
    return detail.empty() || detail == general ? general : general + " (" + detail + ")";
}

}  // namespace nfstreamd
