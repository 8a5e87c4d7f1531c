// SPDX-License-Identifier: Apache-2.0
// An instance of a plugin in one metering process: what it declared, what its
// flows keep, and the guard around each call. An instance that fails or is slow
// too often is disabled: its flows go on without it. Opened by the control
// thread, then the metering thread's alone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/flow/memory.hpp"
#include "core/metering/extension_counters.hpp"
#include "core/metering/flow_hook.hpp"
#include "core/metering/flow_states.hpp"
#include "core/plugin/call_guard.hpp"
#include "core/plugin/flow_plugin_library.hpp"
#include "core/plugin/plugin_options.hpp"
#include "core/plugin/plugin_values.hpp"
#include "core/record/template.hpp"

namespace nfstreamd {

class PluginHook final : public FlowHook, public FlowStates {
public:
    // `meter` "": an instance that is only asked for its fields.
    static Result<std::unique_ptr<PluginHook>> open(const PluginOptions& options,
                                                    std::shared_ptr<FlowPluginLibrary> library,
                                                    const FieldSelection& before, const std::string& meter,
                                                    std::shared_ptr<ExtensionCounters> counters, Logger& logger);
    ~PluginHook() override;

    FieldSelection declared() const;  // in the order of declaration
    FieldSelection exported() const;

    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept override;
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept override;
    void describe(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override;
    void on_discard(std::uint32_t handle) noexcept override;
    void prefetch(std::span<const std::uint32_t> handles) const noexcept override;

private:
    struct Host {  // what the plugin gets; `self` is behind it
        nfd_host c;
        PluginHook* self;
    };
    struct Calls;  // the functions of nfd_host

    // Of a flow, zero when it begins: this, the plugin's own octets, a value for each field.
    struct alignas(16) Slot {
        bool begun;
        std::byte* state() { return reinterpret_cast<std::byte*>(this + 1); }
    };
    enum class Counted : std::uint8_t { kNo, kAll, kForward, kReverse };  // packets: known without further ado
    struct Column {
        const InformationElement* field;
        Counted counted;
    };

    PluginHook(const PluginOptions& options, std::shared_ptr<FlowPluginLibrary> library, const FieldSelection& before,
               const std::string& meter, std::shared_ptr<ExtensionCounters> counters, Logger& logger);
    Status start();
    int declare(const nfd_field& field);
    int find(std::string_view column);
    void fault(std::string message);

    // Places of flows of one address family lie side by side.
    std::size_t chunk_of(std::uint32_t handle) const noexcept {
        return std::size_t{handle >> 1 >> chunk_bits_} << 1 | (handle & 1);
    }
    std::size_t in_chunk(std::uint32_t handle) const noexcept { return (handle >> 1 & chunk_mask_) * stride_; }
    Slot& slot(std::uint32_t handle) noexcept {
        const std::size_t chunk = chunk_of(handle);
        if (chunk >= chunks_.size() || !chunks_[chunk]) [[unlikely]]
            add_chunk(chunk);
        return *reinterpret_cast<Slot*>(&chunks_[chunk][in_chunk(handle)]);
    }
    void add_chunk(std::size_t chunk);
    // Of a flow that has begun.
    Slot& begun(std::uint32_t handle) noexcept {
        return *reinterpret_cast<Slot*>(&chunks_[chunk_of(handle)][in_chunk(handle)]);
    }
    nfd_value* values(Slot& slot) noexcept { return reinterpret_cast<nfd_value*>(slot.state() + state_octets_); }
    [[gnu::always_inline]] std::int32_t show(decltype(nfd_plugin::on_update) function, const FlowView& flow,
                                             const Packet& packet, int direction, Slot& slot) noexcept;
    [[gnu::always_inline]] void fill(const FlowView& flow, const Packet& packet, int direction) noexcept;
    template <class Call>
    [[gnu::always_inline]] void guarded(Call call) noexcept;
    template <class Call>
    [[gnu::always_inline]] int result_of(Call call) noexcept;
    template <class Call>
    [[gnu::noinline]] int measured(Call call) noexcept;
    void failed() noexcept;
    void add_values(Slot& slot, FlowRecord& record, Arena& arena) noexcept;
    void end(Slot& slot) noexcept;

    const PluginOptions options_;
    const std::string meter_;
    const std::shared_ptr<FlowPluginLibrary> library_;
    const nfd_plugin& plugin_;
    const FieldSelection before_;
    Logger& logger_;
    CallGuard guard_;
    Host host_{};
    void* instance_ = nullptr;
    bool opened_ = false, opening_ = false;
    std::string fault_;   // what was wrong with a declaration
    std::string reason_;  // that the call under way gave

    const std::uint32_t parts_;  // of packets, that it reads
    nfd_packet shown_{};         // the others are zero from the beginning

    std::vector<PluginField> fields_;
    std::vector<Column> columns_;
    std::size_t state_octets_ = 0, stride_ = 0;
    unsigned chunk_bits_ = 15;  // so many slots are taken together: whole huge pages
    std::uint32_t chunk_mask_ = 0;
    std::vector<Region<std::byte>> chunks_;

    RateLimit plugin_log_;
};

}  // namespace nfstreamd
