@testable import CausalEngine
import Testing

/// An order with its parents, however it is moved about.
@Suite struct OrderStateTests {
    /// After any disturbance each variable has the best parents among those before it, and what must be a parent is one.
    @Test(arguments: 0..<10) func disturbed(_ seed: UInt64) throws {
        var random = Random(seed: seed, purpose: .searching, index: 0)
        let (state, required) = try improved(seed)
        for _ in 0..<50 {
            state.disturb(&random)
            #expect(Array(state.order).sorted() == Array(0..<state.count))
            let parents = state.parents(otherwise: required)
            for (place, variable) in state.order.enumerated() {
                #expect(state.position[variable] == place)
                #expect(parents[variable].allSatisfy { state.position[Int($0)] < place })
                #expect(required[variable].allSatisfy { parents[variable].contains($0) })
                let before = VariableBits(variables: state.count)
                for k in 0..<place { before.insert(state.order[k]) }
                #expect(state.sets.improve(state.chosen[variable], before: before.words) == state.chosen[variable])
                before.deallocate()
            }
        }
    }

    /// What has other parents than before is looked at again, and what was moved.
    @Test(arguments: 0..<10) func whatIsLookedAtAgain(_ seed: UInt64) throws {
        var random = Random(seed: seed, purpose: .searching, index: 1)
        let (state, _) = try improved(seed)
        for _ in 0..<50 {
            while let variable = state.unsettled.draw(&random) { _ = variable }
            let before = state.snapshot()
            state.disturb(&random)
            let changed = (0..<state.count).filter { before.chosen[$0] != state.chosen[$0] }
            var drawn: Set<Int> = []
            while let variable = state.unsettled.draw(&random) { #expect(drawn.insert(variable).inserted) }
            #expect(drawn.isSuperset(of: changed))
            #expect(!drawn.isEmpty || before.order == Array(state.order))
        }
    }

    @Test func takenBack() throws {
        var random = Random(seed: 5, purpose: .searching, index: 2)
        let (state, _) = try improved(3)
        let before = state.snapshot(), score = state.score
        for _ in 0..<20 { state.disturb(&random) }
        #expect(before.order != Array(state.order))
        state.restore(before)
        #expect(before.order == Array(state.order) && before.chosen == Array(state.chosen) && state.score == score)
        for (place, variable) in state.order.enumerated() { #expect(state.position[variable] == place) }
    }

    /// Ten variables in an order that no move makes better, with two edges that must be.
    private func improved(_ seed: UInt64) throws -> (OrderState, [[UInt16]]) {
        var random = TestRandom(200 + seed)
        let graph = try Graph(count: 10, edges: (0..<9).flatMap { i in (i + 1..<10).filter { _ in random.index(below: 3) == 0 }.map { Graph.Edge(from: i, to: $0) } })
        var knowledge = Knowledge()
        knowledge.required = [(cause: 7, effect: 2), (cause: 2, effect: 4)]
        let resolved = try knowledge.resolved((0..<10).map { "x\($0)" })
        let state = OrderState(ParentSets(GaussianScore(try Covariances(StructuralDataset(try rows(200, of: graph, &random))), penalty: 2), resolved), required: resolved.required)
        for variable in [0, 1, 7, 3, 2, 8, 5, 4, 6, 9] { state.append(variable) }
        for _ in 0..<10 { for variable in 0..<10 { _ = state.improve(variable) } }
        return (state, resolved.required)
    }
}
