extension Graph {
    /// Causes before effects, the smallest number first among equals (Kahn 1962).
    ///
    /// - Throws: `.cycle`, naming a cycle as in "x0 -> x2 -> x0".
    public func topologicalOrder() throws(EngineError) -> [Int] {
        let order = orderedPart()
        guard order.count < count else { return order }
        let cycle = findCycle() ?? []
        throw EngineError(.cycle, "graph: it has a cycle, \((cycle + cycle.prefix(1)).map { names[$0] }.joined(separator: " -> "))")
    }

    public var isAcyclic: Bool { findCycle() == nil }

    /// The variables along a cycle, each once, beginning with the smallest; nil in an acyclic graph.
    public func findCycle() -> [Int]? {
        let order = orderedPart()
        guard order.count < count else { return nil }
        var isOrdered = [Bool](repeating: false, count: count)
        for variable in order { isOrdered[variable] = true }
        // Each variable that is left has a parent that is left: walking from parent to parent must come back.
        var place = [Int](repeating: -1, count: count), walk: [Int] = []
        guard var variable = isOrdered.firstIndex(of: false) else { return nil }
        while place[variable] < 0 {
            place[variable] = walk.count
            walk.append(variable)
            guard let parent = parents[variable].first(where: { !isOrdered[Int($0)] }) else { return nil }
            variable = Int(parent)
        }
        let cycle = Array(walk[place[variable]...].reversed())
        let smallest = cycle.indices.min { cycle[$0] < cycle[$1] } ?? 0
        return Array(cycle[smallest...] + cycle[..<smallest])
    }

    /// As much of the order as there is: everything that no cycle causes.
    private func orderedPart() -> [Int] {
        var unmet: [Int] = [], ready = MinimumHeap()
        for variable in 0..<count {
            unmet.append(parents[variable].count)
            if unmet[variable] == 0 { ready.insert(variable) }
        }
        var order: [Int] = []
        while let variable = ready.removeMinimum() {
            order.append(variable)
            for child in children[variable] {
                unmet[Int(child)] -= 1
                if unmet[Int(child)] == 0 { ready.insert(Int(child)) }
            }
        }
        return order
    }
}

/// Numbers of which the smallest is always at hand.
private struct MinimumHeap {
    private var elements: [Int] = []

    mutating func insert(_ element: Int) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0, elements[child] < elements[(child - 1) / 2] {
            elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeMinimum() -> Int? {
        guard let minimum = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return minimum }
        elements[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < elements.count && elements[child] < elements[smallest] { smallest = child }
            guard smallest != parent else { return minimum }
            elements.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
