// SPDX-License-Identifier: Apache-2.0
// Which dissectors of nDPI see a packet. libndpi 4.2 compares two sets of 512
// protocols, passed by value, for each of a hundred dissectors and each packet:
// a third of its instructions on traffic it does not know. Here is its function
// ndpi_check_flow_func again, with a plan made once per module; the program's
// comes before the library's. Other versions, and modules without a plan, get
// the library's own. A plan belongs to a module, and is used where that is.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

struct ndpi_detection_module_struct;
struct ndpi_flow_struct;

namespace nfstreamd {

class NdpiDispatch {
public:
    // Of a finalized module. Null: the library's own function must do.
    static std::unique_ptr<const NdpiDispatch> create(const ndpi_detection_module_struct* module);

    // This thread's plan while the object lives; may be null.
    class Use {
    public:
        explicit Use(const NdpiDispatch* plan) noexcept { current_ = plan; }
        ~Use() { current_ = nullptr; }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
    };
    static const NdpiDispatch* of(const ndpi_detection_module_struct* module) noexcept {
        return current_ != nullptr && current_->module_ == module ? current_ : nullptr;
    }

    // As the library: shows the packet that the module holds to the dissectors that may know it; how many those are.
    std::uint32_t run(ndpi_detection_module_struct& module, ndpi_flow_struct& flow, std::uint32_t packet) const;

private:
    using Dissector = void (*)(ndpi_detection_module_struct*, ndpi_flow_struct*);
    struct Step {
        Dissector dissector;
        std::uint32_t needs;  // of the packet: bits of NDPI_SELECTION_BITMASK_PROTOCOL_*
        std::uint16_t word;   // of the set of protocols that the flow is known not to be
        std::uint16_t bit;    // there
    };
    enum Kind { kTcpWithout, kTcp, kUdp, kOther, kKinds };  // kTcpWithout: no payload

    explicit NdpiDispatch(const ndpi_detection_module_struct* module) : module_(module) {}
    bool plan(Kind kind, const void* callbacks, std::uint32_t count);
    static Kind kind_of(const ndpi_detection_module_struct& module) noexcept;

    static thread_local const NdpiDispatch* current_;
    const ndpi_detection_module_struct* module_;
    std::array<std::vector<Step>, kKinds> steps_;
};

}  // namespace nfstreamd
