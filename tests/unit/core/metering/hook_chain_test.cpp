// SPDX-License-Identifier: Apache-2.0
#include "core/metering/hook_chain.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace nfstreamd;

namespace {

struct Calls {
    std::vector<std::uint32_t> begun, updated, ended, discarded;
    int completed = 0, destroyed = 0;
};

class NotingHook final : public FlowHook {
public:
    explicit NotingHook(Calls& calls, std::int32_t verdict = 0) : calls_(calls), verdict_(verdict) {}
    ~NotingHook() override { ++calls_.destroyed; }

    std::int32_t on_begin(const FlowView& flow, const Packet&) noexcept override {
        calls_.begun.push_back(flow.handle);
        return verdict_;
    }
    std::int32_t on_packet(const FlowView& flow, const Packet&, int) noexcept override {
        calls_.updated.push_back(flow.handle);
        return verdict_;
    }
    void on_expire(std::uint32_t handle, FlowRecord&, Arena&) noexcept override { calls_.ended.push_back(handle); }
    void complete() noexcept override { ++calls_.completed; }
    void on_discard(std::uint32_t handle) noexcept override { calls_.discarded.push_back(handle); }

private:
    Calls& calls_;
    const std::int32_t verdict_;
};

class NoExtension final : public FlowExtension {
public:
    std::string_view name() const noexcept override { return "none"; }
    const FieldSelection& fields() const noexcept override { return fields_; }
    Result<std::unique_ptr<FlowHook>> make_hook(const std::string&, Logger&) override {
        return Error{ErrorCode::kInternal, "is not asked", ""};
    }
    FlowExtensionStatus status() const override { return {}; }

private:
    FieldSelection fields_;
};

// A chain, and flows by their handles.
struct Chain {
    HookChain hooks;
    FlowRecord record{};
    Arena arena{};

    explicit Chain(bool in_use = false) : hooks(in_use) {}
    std::int32_t begin(std::uint32_t handle) { return hooks.on_begin(FlowView{.handle = handle}, Packet{}); }
    std::int32_t update(std::uint32_t handle) { return hooks.on_packet(FlowView{.handle = handle}, Packet{}, 0); }
    void end(std::uint32_t handle) { hooks.on_expire(handle, record, arena); }
};

HookLink link(std::shared_ptr<FlowExtension> extension, Calls& calls, std::int32_t verdict = 0) {
    return {std::move(extension), std::make_shared<NotingHook>(calls, verdict)};
}

const std::vector<std::uint32_t> kNone;
using Handles = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("HookChain: every hook sees every packet, the last that ends the flow says with which number") {
    Calls one, two, three;
    Chain chain;
    chain.hooks.add(link(nullptr, one, -1));
    chain.hooks.add(link(nullptr, two, -7));
    chain.hooks.add(link(nullptr, three));
    CHECK(chain.begin(4) == -7);
    CHECK(chain.update(4) == -7);
    chain.end(4);
    for (const Calls* calls : {&one, &two, &three}) {
        CHECK(calls->begun == Handles{4});
        CHECK(calls->updated == Handles{4});
        CHECK(calls->ended == Handles{4});
    }
}

TEST_CASE("HookChain: flows stay with the hooks that saw them begin, which go after the last of them") {
    Calls old_calls, new_calls;
    const auto before = std::make_shared<NoExtension>(), after = std::make_shared<NoExtension>();
    Chain chain;
    chain.hooks.add(link(before, old_calls));
    chain.begin(1);
    chain.begin(2);
    chain.hooks.replace({link(after, new_calls)});
    chain.begin(3000);
    chain.update(1);
    chain.update(3000);
    CHECK(old_calls.updated == Handles{1});
    CHECK(new_calls.updated == Handles{3000});
    CHECK(chain.hooks.hooks() == 2);
    chain.end(1);
    CHECK(old_calls.destroyed == 0);
    chain.hooks.on_discard(2);
    CHECK(old_calls.discarded == Handles{2});
    CHECK(old_calls.destroyed == 1);
    chain.begin(1);  // the handle of a flow of the former hooks
    chain.update(1);
    CHECK(new_calls.updated == Handles{3000, 1});
    CHECK(new_calls.destroyed == 0);
}

TEST_CASE("HookChain: a hook of an extension that stays is the same for flows of before and after") {
    Calls kept, added;
    const auto stays = std::make_shared<NoExtension>(), comes = std::make_shared<NoExtension>();
    Chain chain;
    chain.hooks.add(link(stays, kept));
    chain.begin(1);
    chain.hooks.replace({link(comes, added), {stays, nullptr}});
    chain.begin(2);
    chain.update(1);
    chain.update(2);
    CHECK(kept.updated == Handles{1, 2});
    CHECK(added.updated == Handles{2});
    chain.end(1);
    CHECK(kept.destroyed == 0);
    chain.end(2);
    chain.hooks.replace({});
    CHECK(kept.destroyed == 1);
    CHECK(added.destroyed == 1);
    CHECK(chain.hooks.empty());
}

TEST_CASE("HookChain: hooks complete what they have put off when a batch leaves, and before they go") {
    Calls old_calls, new_calls;
    Chain chain;
    chain.hooks.add(link(std::make_shared<NoExtension>(), old_calls));
    chain.begin(1);
    chain.hooks.replace({link(std::make_shared<NoExtension>(), new_calls)});
    chain.hooks.complete();
    CHECK(old_calls.completed == 1);
    CHECK(new_calls.completed == 1);
    chain.end(1);
    CHECK(old_calls.completed == 2);
    CHECK(old_calls.destroyed == 1);
    chain.hooks.replace({});  // no flow has begun under it
    CHECK(new_calls.completed == 2);
    CHECK(new_calls.destroyed == 1);
}

TEST_CASE("HookChain: flows that were there before the first hook are shown to none") {
    Calls calls;
    Chain chain(true);
    chain.hooks.replace({link(std::make_shared<NoExtension>(), calls)});
    CHECK(chain.update(5) == 0);
    chain.end(5);
    chain.begin(6);
    chain.hooks.replace({});
    CHECK(calls.destroyed == 0);
    chain.end(7);  // another one of before
    chain.end(6);
    CHECK(calls.destroyed == 1);
    CHECK(calls.begun == Handles{6});
    CHECK(calls.updated == kNone);
    CHECK(chain.hooks.empty());
}
