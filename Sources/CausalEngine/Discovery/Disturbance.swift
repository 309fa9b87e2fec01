/// How a search leaves a graph that no move makes better: by a few moves about one place, so that little has to be looked at again, and what is
/// elsewhere stays as good as it was. Of three kinds, since a graph that holds against one often gives way to another: what caused a
/// variable comes after it, with or without those that cause it in turn, or a variable goes anywhere at all.
extension OrderState {
    private static let mostMoves = 3
    /// One in so many moves goes anywhere.
    private static let farMoves = 5

    func disturb(_ random: inout Random) {
        var variable = random.index(below: count)
        for _ in 0...random.index(below: Self.mostMoves) {
            let neighbours = neighbours(of: variable)
            if neighbours.isEmpty || random.index(below: Self.farMoves) == 0 {
                move(variable, to: random.index(below: count))
                variable = random.index(below: count)
                continue
            }
            let other = neighbours[random.index(below: neighbours.count)]
            if random.index(below: 2) == 0 {
                tuck(variable, other)
            } else {
                move(variable, to: position[other])
            }
            if random.index(below: 2) == 0 { variable = other }
        }
    }

    private func neighbours(of variable: Int) -> [Int] {
        sets.parents(chosen[variable]).map { Int($0) } + (0..<count).filter { sets.has(variable, chosen[$0]) }
    }

    /// Moves the later of two variables before the other, and with it its ancestors that are in between (as GRaSP does, Lam et al. 2022).
    private func tuck(_ one: Int, _ other: Int) {
        let first = min(position[one], position[other]), last = max(position[one], position[other])
        var isMoved = [Bool](repeating: false, count: count), moved: [Int] = []
        isMoved[order[last]] = true
        for place in (first + 1...last).reversed() where isMoved[order[place]] {
            moved.append(order[place])
            for parent in sets.parents(chosen[order[place]]) { isMoved[Int(parent)] = true }
        }
        for (k, variable) in moved.reversed().enumerated() { move(variable, to: first + k) }
    }
}
