// SPDX-License-Identifier: Apache-2.0
// A packet as plugins in Python see it: NFPacket with the names of all
// generations of nfstream. Attributes are read when they are asked for; one that
// a plugin keeps is given a copy of the packet when its call has ended. With the
// interpreter's lock.
#pragma once
#include <cstdint>
#include <vector>

#include "core/base/ip_address.hpp"
#include "core/packet/packet.hpp"
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {

struct PacketObject {
    PyObject_HEAD const Packet* packet;  // null: `copy`
    Packet copy;
    std::vector<std::uint8_t> octets;  // of the copy
    MacAddress macs[2];                // of the flow: of who began it, and of the other
    std::uint64_t delta_ms;            // since the packet before
    int direction;
};

// Null with a Python error set.
PyTypeObject* make_packet_type();
PacketObject* new_packet(PyTypeObject* type);

// Whoever has kept it has a copy from now on.
void detach(PacketObject& packet);

}  // namespace nfstreamd::python
