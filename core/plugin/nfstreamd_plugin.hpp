// SPDX-License-Identifier: Apache-2.0
// nfstreamd_plugin.h for C++17 and later: a plugin is a class, its exceptions
// are failures of the call, and what a flow keeps is a struct of its own.
//
//   struct Count : nfstreamd::Plugin {
//       struct State { std::uint64_t small = 0; };
//       nfstreamd::Field<std::uint64_t> count{host, "small_packets", "Packets under 100 octets."};
//       using Plugin::Plugin;
//       void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) { on_update(packet, flow); }
//       void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
//           flow.state<State>().small += packet.raw_size < 100;
//       }
//       void on_expire(nfstreamd::Flow& flow) { flow.set(count, flow.state<State>().small); }
//   };
//   NFSTREAMD_PLUGIN(Count, "1.0")
#pragma once
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "nfstreamd_plugin.h"

namespace nfstreamd {
inline namespace plugin_v1 {

struct Address {               // of IPv4 or IPv6, in network byte order
    std::uint32_t length = 4;  // or 16
    std::uint8_t octets[16] = {};
};

// The type of a value that a field may have; any other type does not compile.
template <class T>
struct ValueType;
template <>
struct ValueType<std::uint64_t> {
    static constexpr std::uint32_t type = NFD_UNSIGNED;
};
template <>
struct ValueType<std::int64_t> {
    static constexpr std::uint32_t type = NFD_SIGNED;
};
template <>
struct ValueType<double> {
    static constexpr std::uint32_t type = NFD_FLOAT;
};
template <>
struct ValueType<bool> {
    static constexpr std::uint32_t type = NFD_BOOLEAN;
};
template <>
struct ValueType<std::string> {
    static constexpr std::uint32_t type = NFD_TEXT;
};
template <>
struct ValueType<Address> {
    static constexpr std::uint32_t type = NFD_ADDRESS;
};
template <>
struct ValueType<std::vector<std::int32_t>> {
    static constexpr std::uint32_t type = NFD_LIST;
};

// What open() is told, and the way back to nfstreamd. Lives as long as the plugin.
class Host {
public:
    explicit Host(const nfd_host* host) : host_(host) {}

    std::string_view name() const { return host_->name; }
    std::string_view settings() const { return host_->settings; }  // JSON
    std::string_view meter() const { return host_->meter; }
    bool checks() const { return host_->checks != 0; }

    void log(std::uint32_t level, const std::string& message) const { host_->log(host_, level, message.c_str()); }
    void info(const std::string& message) const { log(NFD_LOG_INFO, message); }
    void warning(const std::string& message) const { log(NFD_LOG_WARNING, message); }

    const nfd_host* c() const { return host_; }

private:
    const nfd_host* host_;
};

// What is optional of a field.
struct FieldOptions {
    const char* units = nullptr;
    bool is_volatile = false;
    std::uint32_t element_pen = 0, element_id = 0;
    const char* element_name = nullptr;
};

// A field that the plugin fills: declared where it is made, as a member of the plugin.
template <class T>
class Field {
public:
    Field(const Host& host, const char* name, const char* description, const FieldOptions& options = {}) {
        const nfd_field field{sizeof(nfd_field),   ValueType<T>::type, name,
                              description,         options.units,      options.is_volatile ? 1u : 0u,
                              options.element_pen, options.element_id, options.element_name};
        number_ = host.c()->declare_field(host.c(), &field);
        if (number_ < 0) throw std::runtime_error(std::string("cannot declare the field ") + name);
    }
    int number() const { return number_; }

private:
    int number_;
};

// A column to read of flows: of nfstreamd, or of a plugin before this one.
class Column {
public:
    Column(const Host& host, const char* name) : number_(host.c()->find_column(host.c(), name)) {
        if (number_ < 0) throw std::runtime_error(std::string("there is no column ") + name);
    }
    int number() const { return number_; }

private:
    int number_;
};

// nfd_packet with what can be computed of it.
struct Packet : nfd_packet {
    bool has(std::uint8_t flag) const { return (tcp_flags & flag) != 0; }  // NFD_SYN
    bool syn() const { return has(NFD_SYN); }
    bool cwr() const { return has(NFD_CWR); }
    bool ece() const { return has(NFD_ECE); }
    bool urg() const { return has(NFD_URG); }
    bool ack() const { return has(NFD_ACK); }
    bool psh() const { return has(NFD_PSH); }
    bool rst() const { return has(NFD_RST); }
    bool fin() const { return has(NFD_FIN); }

    // Of TCP, UDP, ICMP; as far as it was captured, empty when not at all. Reads NFD_PACKET_SIZES and
    // NFD_PACKET_OCTETS.
    std::basic_string_view<std::uint8_t> payload() const {
        std::size_t offset = transport_offset;
        if (protocol == 6) {
            if (offset + 13 > ip_packet_length) return {};
            offset += static_cast<std::size_t>(ip_packet[offset + 12] >> 4) * 4;
        } else {
            offset += 8;
        }
        if (offset >= ip_packet_length) return {};
        const std::size_t captured = ip_packet_length - offset;
        return {ip_packet + offset, payload_size < captured ? payload_size : captured};
    }
};
static_assert(sizeof(Packet) == sizeof(nfd_packet), "a view of what is handed in");

class Flow {
public:
    Flow(const nfd_host* host, nfd_flow* flow, void* state) : host_(host), flow_(flow), state_(state) {}

    // The plugin's State.
    template <class State>
    State& state() {
        return *static_cast<State*>(state_);
    }

    std::uint64_t packets() const { return host_->packets(flow_); }

    // Ends the flow with this packet.
    void expire(std::int32_t expiration_id = -1) { host_->expire(flow_, expiration_id); }

    void set(const Field<std::uint64_t>& field, std::uint64_t value) {
        nfd_value v = made(NFD_UNSIGNED);
        v.as.u = value;
        put(field.number(), v);
    }
    void set(const Field<std::int64_t>& field, std::int64_t value) {
        nfd_value v = made(NFD_SIGNED);
        v.as.i = value;
        put(field.number(), v);
    }
    void set(const Field<double>& field, double value) {
        nfd_value v = made(NFD_FLOAT);
        v.as.f = value;
        put(field.number(), v);
    }
    void set(const Field<bool>& field, bool value) {
        nfd_value v = made(NFD_BOOLEAN);
        v.as.u = value ? 1 : 0;
        put(field.number(), v);
    }
    void set(const Field<std::string>& field, std::string_view value) {
        nfd_value v = made(NFD_TEXT, value.size());
        v.as.text = value.data();
        put(field.number(), v);
    }
    void set(const Field<Address>& field, const Address& value) {
        nfd_value v = made(NFD_ADDRESS, value.length);
        for (std::uint32_t i = 0; i < value.length && i < 16; ++i) v.as.octets[i] = value.octets[i];
        put(field.number(), v);
    }
    void set(const Field<std::vector<std::int32_t>>& field, const std::vector<std::int32_t>& value) {
        nfd_value v = made(NFD_LIST, value.size());
        v.as.list = value.data();
        put(field.number(), v);
    }
    template <class T>
    void unset(const Field<T>& field) {
        put(field.number(), made(NFD_ABSENT));
    }

    // Numbers of any type; 0 when it has no value.
    std::uint64_t number(const Column& column) const {
        const nfd_value value = read(column);
        if (value.type == NFD_FLOAT) return static_cast<std::uint64_t>(value.as.f);
        return value.type == NFD_UNSIGNED || value.type == NFD_SIGNED || value.type == NFD_BOOLEAN ? value.as.u : 0;
    }
    double real(const Column& column) const {
        const nfd_value value = read(column);
        if (value.type == NFD_FLOAT) return value.as.f;
        if (value.type == NFD_SIGNED) return static_cast<double>(value.as.i);
        return value.type == NFD_UNSIGNED || value.type == NFD_BOOLEAN ? static_cast<double>(value.as.u) : 0;
    }
    std::string_view text(const Column& column) const {
        const nfd_value value = read(column);
        return value.type == NFD_TEXT ? std::string_view(value.as.text, value.length) : std::string_view();
    }
    nfd_value read(const Column& column) const {
        nfd_value value{};
        host_->read(flow_, column.number(), &value);
        return value;
    }

    nfd_flow* c() { return flow_; }

private:
    static nfd_value made(std::uint32_t type, std::size_t length = 0) {
        nfd_value value{};
        value.type = type;
        value.length = static_cast<std::uint32_t>(length);
        return value;
    }
    void put(int field, const nfd_value& value) {
        if (host_->set(flow_, field, &value) != NFD_OK) throw std::invalid_argument("a value was refused");
    }

    const nfd_host* host_;
    nfd_flow* flow_;
    void* state_;
};

// Made for each meter; the constructor declares fields and throws what is wrong
// with the settings, the destructor is nfstream's cleanup.
class Plugin {
public:
    // Hidden by that of a plugin which reads parts of its packets only: NFD_PACKET_SIZES | NFD_PACKET_TIMES.
    // What it does not name is zero and null, and costs no time.
    static constexpr std::uint32_t packet_parts = 0;

    explicit Plugin(const Host& of) : host(of) {}
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;

    // Hidden by those of the plugin.
    void on_init(const Packet&, Flow&) {}
    void on_update(const Packet&, Flow&) {}
    void on_expire(Flow&) {}

protected:
    const Host host;
};

namespace detail {

struct NoState {};
template <class P, class = void>
struct StateOf {
    using type = NoState;
};
template <class P>
struct StateOf<P, std::void_t<typename P::State>> {
    using type = typename P::State;
};

template <class P>
class Calls {
    using State = typename StateOf<P>::type;
    static constexpr bool kHasState = !std::is_same_v<State, NoState>;
    static_assert(alignof(State) <= 16, "a flow's state is aligned to 16 octets");

    struct Instance {
        explicit Instance(const nfd_host* c) : host(c), plugin(Host(c)) {}
        const nfd_host* host;
        P plugin;
    };
    template <class Call>
    static int guarded(const nfd_host* host, Call call) noexcept {
        try {
            call();
            return NFD_OK;
        } catch (const std::exception& error) {
            host->explain(host, error.what());
        } catch (...) {
            host->explain(host, "an exception that is no std::exception");
        }
        return NFD_FAILED;
    }
    static void end(void* state) noexcept {
        if constexpr (kHasState) static_cast<State*>(state)->~State();
    }

public:
    static int open(const nfd_host* host, void** instance) noexcept {
        return guarded(host, [&] {
            if constexpr (kHasState) host->reserve_flow_state(host, sizeof(State));
            *instance = new Instance(host);
        });
    }
    static void close(void* instance) noexcept { delete static_cast<Instance*>(instance); }

    static int on_init(void* instance, const nfd_packet* packet, nfd_flow* flow, void* state) noexcept {
        auto& self = *static_cast<Instance*>(instance);
        return guarded(self.host, [&] {
            if constexpr (kHasState) new (state) State();
            Flow view(self.host, flow, state);
            self.plugin.on_init(static_cast<const Packet&>(*packet), view);
        });
    }
    static int on_update(void* instance, const nfd_packet* packet, nfd_flow* flow, void* state) noexcept {
        auto& self = *static_cast<Instance*>(instance);
        return guarded(self.host, [&] {
            Flow view(self.host, flow, state);
            self.plugin.on_update(static_cast<const Packet&>(*packet), view);
        });
    }
    static int on_expire(void* instance, nfd_flow* flow, void* state) noexcept {
        auto& self = *static_cast<Instance*>(instance);
        const int result = guarded(self.host, [&] {
            Flow view(self.host, flow, state);
            self.plugin.on_expire(view);
        });
        end(state);
        return result;
    }
    static void on_discard(void*, void* state) noexcept { end(state); }

    static const nfd_plugin* table(const char* version) {
        static const nfd_plugin kTable{NFSTREAMD_PLUGIN_ABI,
                                       sizeof(nfd_plugin),
                                       version,
                                       &open,
                                       &close,
                                       &on_init,
                                       &on_update,
                                       &on_expire,
                                       &on_discard,
                                       std::uint32_t{P::packet_parts},
                                       0};
        return &kTable;
    }
};

}  // namespace detail
}  // namespace plugin_v1
}  // namespace nfstreamd

// Once in the shared object.
#define NFSTREAMD_PLUGIN(TYPE, VERSION)                                     \
    extern "C" const nfd_plugin* nfstreamd_plugin(uint32_t abi) {           \
        if (abi < NFSTREAMD_PLUGIN_ABI) return nullptr;                     \
        return ::nfstreamd::plugin_v1::detail::Calls<TYPE>::table(VERSION); \
    }
