// SPDX-License-Identifier: Apache-2.0
// What libpcap knows about this machine, for the command line and the checks of
// the configuration.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>

#include <memory>

#include "core/capture/packet_filter.hpp"
#include "core/capture/packet_source.hpp"

namespace nfstreamd {

namespace {

std::string address_text(const sockaddr* address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address == nullptr) return {};
    if (address->sa_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
    } else if (address->sa_family == AF_INET6) {
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
    }
    return text;
}

InterfaceDescription describe(const pcap_if_t& device) {
    InterfaceDescription result;
    result.name = device.name;
    if (device.description != nullptr) result.description = device.description;
    result.up = (device.flags & PCAP_IF_UP) != 0;
    result.running = (device.flags & PCAP_IF_RUNNING) != 0;
    result.loopback = (device.flags & PCAP_IF_LOOPBACK) != 0;
    for (const pcap_addr_t* a = device.addresses; a != nullptr; a = a->next) {
        if (std::string text = address_text(a->addr); !text.empty()) result.addresses.push_back(std::move(text));
    }
    return result;
}

}  // namespace

Result<std::vector<InterfaceDescription>> list_interfaces() {
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t* first = nullptr;
    if (pcap_findalldevs(&first, reason) != 0) {
        return Error{ErrorCode::kUnavailable, std::string("cannot list the interfaces: ") + reason, {}};
    }
    const std::unique_ptr<pcap_if_t, decltype(&pcap_freealldevs)> owner(first, &pcap_freealldevs);
    std::vector<InterfaceDescription> result;
    for (const pcap_if_t* device = first; device != nullptr; device = device->next) {
        // Without an index it is no network interface: nflog, usbmon, bluetooth, D-Bus.
        const std::string_view name = device->name;
        if (name == "any" || ::if_nametoindex(device->name) != 0) result.push_back(describe(*device));
    }
    return result;
}

Status check_bpf_filter(const std::string& filter) {
    if (filter.empty()) return ok();
    auto ethernet = PacketFilter::compile(filter, DLT_EN10MB);
    // "inbound", "ifindex 3" and the like exist on cooked captures and live only.
    if (ethernet || PacketFilter::compile(filter, DLT_LINUX_SLL2)) return ok();
    return ethernet.error();
}

std::string libpcap_version() {
    return pcap_lib_version();
}

}  // namespace nfstreamd
