// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/packet_object.hpp"

#include <algorithm>
#include <new>
#include <string>

#include "core/packet/tcp_flags.hpp"
#include "daemon/python/flow_schema.hpp"

namespace nfstreamd::python {
namespace {

PacketObject* as_packet(PyObject* object) {
    return reinterpret_cast<PacketObject*>(object);
}

const Packet& packet_of(const PacketObject& object) {
    return object.packet != nullptr ? *object.packet : object.copy;
}

// `end` 0: the sender.
IpAddress address_of(const Packet& packet, int end) {
    IpAddress address;
    address.version = packet.version;
    const std::size_t length = packet.version == 4 ? 4 : 16, at = packet.version == 4 ? 12 : 8;
    std::copy_n(packet.ip + at + static_cast<std::size_t>(end) * length, length, address.bytes.begin());
    return address;
}

PyObject* number_of(const IpAddress& address) {
    return _PyLong_FromByteArray(address.bytes.data(), address.version == 4 ? 4 : 16, 0, 0);
}

// Both ends change places in packets of the other direction.
const MacAddress& mac_of(const PacketObject& object, int end) {
    return object.macs[object.direction == 0 ? end : 1 - end];
}

PyObject* oui_of(const MacAddress& mac) {
    return to_python(std::string_view(to_string(mac)).substr(0, 8));
}

PyObject* octets_of(const Packet& packet) {
    return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(packet.ip), packet.ip_captured);
}

PyObject* number(std::uint64_t value) {
    return PyLong_FromUnsignedLongLong(value);
}

template <std::uint8_t Flag>
PyObject* flag(PyObject* self, void*) {
    return number((packet_of(*as_packet(self)).tcp_flags & Flag) != 0);
}
template <int Size>
PyObject* size(PyObject* self, void*) {
    return number(packet_of(*as_packet(self)).sizes[Size]);
}
template <int End>
PyObject* address_text(PyObject* self, void*) {
    return to_python(FieldValue(address_of(packet_of(*as_packet(self)), End)));
}
template <int End>
PyObject* address_number(PyObject* self, void*) {
    return number_of(address_of(packet_of(*as_packet(self)), End));
}
template <int End>
PyObject* mac_text(PyObject* self, void*) {
    return to_python(FieldValue(mac_of(*as_packet(self), End)));
}
template <int End>
PyObject* oui_text(PyObject* self, void*) {
    return oui_of(mac_of(*as_packet(self), End));
}
template <auto Member>
PyObject* member(PyObject* self, void*) {
    return number(packet_of(*as_packet(self)).*Member);
}

PyObject* time_ms(PyObject* self, void*) {
    return PyLong_FromLongLong(packet_of(*as_packet(self)).timestamp / 1'000'000);
}
PyObject* delta_ms(PyObject* self, void*) {
    return number(as_packet(self)->delta_ms);
}
PyObject* direction(PyObject* self, void*) {
    return PyLong_FromLong(as_packet(self)->direction);
}
PyObject* octets(PyObject* self, void*) {
    return octets_of(packet_of(*as_packet(self)));
}
// nfstream 3 between releases had the flags as attributes of their own object.
PyObject* flags(PyObject* self, void*) {
    return Py_NewRef(self);
}

constexpr const char* kOfNfstream6 = "of nfstream 6";
constexpr const char* kOfNfstream3 = "of nfstream 3";
constexpr const char* kOfNfstream0 = "of nfstream 0.x";

PyGetSetDef attributes[] = {
    {"time", time_ms, nullptr, kOfNfstream6, nullptr},
    {"delta_time", delta_ms, nullptr, kOfNfstream6, nullptr},
    {"direction", direction, nullptr, kOfNfstream6, nullptr},
    {"raw_size", size<0>, nullptr, kOfNfstream6, nullptr},
    {"ip_size", size<1>, nullptr, kOfNfstream6, nullptr},
    {"transport_size", size<2>, nullptr, kOfNfstream6, nullptr},
    {"payload_size", size<3>, nullptr, kOfNfstream6, nullptr},
    {"src_ip", address_text<0>, nullptr, kOfNfstream6, nullptr},
    {"src_mac", mac_text<0>, nullptr, kOfNfstream6, nullptr},
    {"src_oui", oui_text<0>, nullptr, kOfNfstream6, nullptr},
    {"dst_ip", address_text<1>, nullptr, kOfNfstream6, nullptr},
    {"dst_mac", mac_text<1>, nullptr, kOfNfstream6, nullptr},
    {"dst_oui", oui_text<1>, nullptr, kOfNfstream6, nullptr},
    {"src_port", member<&Packet::source_port>, nullptr, kOfNfstream6, nullptr},
    {"dst_port", member<&Packet::destination_port>, nullptr, kOfNfstream6, nullptr},
    {"protocol", member<&Packet::protocol>, nullptr, kOfNfstream6, nullptr},
    {"vlan_id", member<&Packet::vlan_id>, nullptr, kOfNfstream6, nullptr},
    {"ip_version", member<&Packet::version>, nullptr, kOfNfstream6, nullptr},
    {"ip_packet", octets, nullptr, kOfNfstream6, nullptr},
    {"syn", flag<kSynFlag>, nullptr, kOfNfstream6, nullptr},
    {"cwr", flag<0x80>, nullptr, kOfNfstream6, nullptr},
    {"ece", flag<0x40>, nullptr, kOfNfstream6, nullptr},
    {"urg", flag<0x20>, nullptr, kOfNfstream6, nullptr},
    {"ack", flag<kAckFlag>, nullptr, kOfNfstream6, nullptr},
    {"psh", flag<0x08>, nullptr, kOfNfstream6, nullptr},
    {"rst", flag<kRstFlag>, nullptr, kOfNfstream6, nullptr},
    {"fin", flag<kFinFlag>, nullptr, kOfNfstream6, nullptr},
    {"tunnel_id", member<&Packet::tunnel_id>, nullptr, kOfNfstream6, nullptr},
    {"capture_length", member<&Packet::captured>, nullptr, kOfNfstream3, nullptr},
    {"length", size<0>, nullptr, kOfNfstream3, nullptr},
    {"ip_src", address_number<0>, nullptr, kOfNfstream3, nullptr},
    {"ip_dst", address_number<1>, nullptr, kOfNfstream3, nullptr},
    {"version", member<&Packet::version>, nullptr, kOfNfstream3, nullptr},
    {"tcp_flags", member<&Packet::tcp_flags>, nullptr, kOfNfstream3, nullptr},
    {"tcpflags", flags, nullptr, kOfNfstream3, nullptr},
    {"raw", octets, nullptr, kOfNfstream3, nullptr},
    {"size", size<0>, nullptr, kOfNfstream0, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

// As a named tuple shows itself, which it is in nfstream 6.
PyObject* represent(PyObject* self) {
    Reference text(PyUnicode_FromString("NFPacket("));
    for (const PyGetSetDef* attribute = attributes; text && attribute->doc == kOfNfstream6; ++attribute) {
        const Reference value(attribute->get(self, nullptr));
        if (!value) return nullptr;
        text = Reference(PyUnicode_FromFormat("%U%s%s=%R", text.get(), attribute == attributes ? "" : ", ",
                                              attribute->name, value.get()));
    }
    return text ? PyUnicode_FromFormat("%U)", text.get()) : nullptr;
}

void deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    as_packet(self)->octets.~vector();
    type->tp_free(self);
    Py_DECREF(type);
}

}  // namespace

PyTypeObject* make_packet_type() {
    static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
                                  {Py_tp_repr, reinterpret_cast<void*>(represent)},
                                  {Py_tp_getset, attributes},
                                  {0, nullptr}};
    static PyType_Spec spec = {"nfstreamd._engine.NFPacket", sizeof(PacketObject), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

PacketObject* new_packet(PyTypeObject* type) {
    PyObject* made = type->tp_alloc(type, 0);
    if (made == nullptr) return nullptr;
    new (&as_packet(made)->copy) Packet();
    new (&as_packet(made)->octets) std::vector<std::uint8_t>();
    return as_packet(made);
}

void detach(PacketObject& object) {
    if (object.packet == nullptr) return;
    object.copy = *object.packet;
    object.octets.assign(object.copy.ip, object.copy.ip + object.copy.ip_captured);
    object.copy.ip = object.octets.data();
    object.copy.source_mac = object.copy.destination_mac = object.copy.tcp = object.copy.outer_ip = nullptr;
    object.packet = nullptr;
}

}  // namespace nfstreamd::python
