// SPDX-License-Identifier: Apache-2.0
#include "core/metering/flow_budget.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace nfstreamd;

TEST_CASE("FlowBudget: threads together take as many as there are") {
    FlowBudget budget(10'000);
    std::atomic<int> taken{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                while (budget.take()) ++taken;
            });
    }
    CHECK(taken == 10'000);
    CHECK(budget.spent());
    CHECK_FALSE(budget.take());
}
