// SPDX-License-Identifier: Apache-2.0
// nfstream's DHCP: what clients tell in flows to port 67; a flow ends when the
// transaction is over, or when the client has no address yet.
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "core/plugin/nfstreamd_plugin.hpp"
#include "core/plugin/plugins/python_text.hpp"
#include "core/plugin/plugins/settings.hpp"
#include "core/plugin/plugins/udp_payload.hpp"

namespace {

using nfstreamd::Address;
using nfstreamd::plugins::Octets;

constexpr std::uint16_t kServerPort = 67;
constexpr std::size_t kHardwareLengthAt = 2, kClientAddressAt = 12, kHardwareAddressAt = 28, kOptionsAt = 240;
constexpr std::uint8_t kRequest = 3, kDecline = 4, kAck = 5, kNack = 6, kInform = 8;
constexpr const char* kMessages[] = {
    "0",           "MsgType.DISCOVER", "MsgType.OFFER",   "MsgType.REQUEST", "MsgType.DECLINE",
    "MsgType.ACK", "MsgType.NACK",     "MsgType.RELEASE", "MsgType.INFORM"};

std::uint64_t number(Octets octets) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : octets) value = value << 8 | octet;
    return value;
}

// A number as an address: of IPv4 when it fits.
std::optional<Address> address_of(Octets octets) {
    while (!octets.empty() && octets.front() == 0) octets.remove_prefix(1);
    if (octets.size() > 16) return std::nullopt;
    Address address;
    address.length = octets.size() <= 4 ? 4 : 16;
    std::memcpy(address.octets + (address.length - octets.size()), octets.data(), octets.size());
    return address;
}

std::string text_of(Octets octets) {
    return nfstreamd::plugins::decoded({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

std::string list_of(Octets octets) {
    std::string out;
    for (const std::uint8_t octet : octets) out += (out.empty() ? "" : ",") + std::to_string(octet);
    return out;
}

class Dhcp : public nfstreamd::Plugin {
public:
    static constexpr auto packet_parts = NFD_PACKET_ENDPOINTS | NFD_PACKET_OCTETS;
    struct State {
        bool has_type = false;
    };

    explicit Dhcp(const nfstreamd::Host& of) : Plugin(of) { nfstreamd::plugins::Settings(of.settings(), {}); }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        flow.set(options_, {});
        on_update(packet, flow);
    }

    void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        if ((packet.direction == 0 ? packet.dst_port : packet.src_port) != kServerPort) return;
        const Octets message = nfstreamd::plugins::udp_payload(packet);
        if (message.size() < kOptionsAt) return;
        Request request;
        if (!read_options(message.substr(kOptionsAt), request, flow)) return;
        if (request.type == kRequest) keep(message, request, flow);
        const std::uint8_t* source = packet.direction == 0 ? packet.src_address : packet.dst_address;
        const bool has_no_address = number({source, 4}) == 0;
        if (request.type == kAck || request.type == kNack || request.type == kInform || request.type == kDecline ||
            has_no_address)
            flow.expire(-1);
        if (!std::exchange(flow.state<State>().has_type, true)) flow.set(type_, kMessages[request.type]);
    }

private:
    struct Request {
        std::uint8_t type = 0;
        std::vector<std::int32_t> options;
        std::optional<Address> address;
        std::optional<std::string> parameters;
    };

    // False: it is no message of DHCP.
    bool read_options(Octets octets, Request& request, nfstreamd::Flow& flow) {
        while (!octets.empty() && octets[0] != 255) {
            if (octets[0] == 0) {
                octets.remove_prefix(1);
                continue;
            }
            if (octets.size() < 2) return false;
            const std::uint8_t option = octets[0];
            const Octets value = octets.substr(2, octets[1]);
            octets.remove_prefix(std::min<std::size_t>(octets.size(), 2u + octets[1]));
            if (!read_option(option, value, request, flow)) return false;
            request.options.push_back(option);
        }
        return true;
    }

    bool read_option(std::uint8_t option, Octets value, Request& request, nfstreamd::Flow& flow) {
        switch (option) {
            case 12:
                if (!value.empty()) flow.set(host_name_, text_of(value));
                break;
            case 50:
                request.address = address_of(value);
                break;
            case 53: {
                const std::uint64_t type = number(value.substr(0, 8));
                if (type == 0 || type > 8) return false;
                request.type = static_cast<std::uint8_t>(type);
                break;
            }
            case 55:
                request.parameters = list_of(value);
                break;
            case 57:
                flow.set(largest_message_, number(value.substr(0, 8)));
                break;
            case 60:
                flow.set(vendor_class_, text_of(value));
                break;
            case 77:
                flow.set(user_class_, text_of(value));
                break;
            default:
                break;
        }
        return true;
    }

    void keep(Octets message, const Request& request, nfstreamd::Flow& flow) {
        static constexpr char kHex[] = "0123456789abcdef";
        if (message[kHardwareLengthAt] == 6) {
            std::string oui;
            for (const std::uint8_t octet : message.substr(kHardwareAddressAt, 3)) {
                if (!oui.empty()) oui += ':';
                oui += kHex[octet >> 4];
                oui += kHex[octet & 15];
            }
            flow.set(oui_, oui);
        }
        flow.set(options_, request.options);
        request.parameters ? flow.set(parameters_, *request.parameters) : flow.unset(parameters_);
        request.address ? flow.set(requested_, *request.address) : flow.unset(requested_);
        const Octets client = message.substr(kClientAddressAt, 4);
        if (number(client) != 0) flow.set(client_, *address_of(client));
    }

    nfstreamd::Field<std::string> host_name_{host, "dhcp_12", "Host name of the client."};
    nfstreamd::Field<Address> requested_{host, "dhcp_50", "Address that the client asks for."};
    nfstreamd::Field<std::string> parameters_{host, "dhcp_55", "Options that the client asks for, a comma between."};
    nfstreamd::Field<std::uint64_t> largest_message_{
        host, "dhcp_57", "Longest message that the client takes.", {.units = "octets"}};
    nfstreamd::Field<std::string> vendor_class_{host, "dhcp_60", "Vendor class of the client."};
    nfstreamd::Field<std::string> user_class_{host, "dhcp_77", "User class of the client."};
    nfstreamd::Field<std::vector<std::int32_t>> options_{host, "dhcp_options", "Options of the request, in order."};
    nfstreamd::Field<Address> client_{host, "dhcp_addr", "Address that the client has when it asks."};
    nfstreamd::Field<std::string> type_{host, "dhcp_msg_type", "Type of the first message, as nfstream names it."};
    nfstreamd::Field<std::string> oui_{host, "dhcp_oui", "First three octets of the client's hardware address."};
};

}  // namespace

NFSTREAMD_PLUGIN(Dhcp, "1.0")
