internal import CausalKernels

/// A unit of a hidden layer of a mechanism's network: layer 0 is the first one, after its activation.
public struct HiddenUnit: Hashable, Sendable {
    public let layer: Int
    public let unit: Int

    public init(layer: Int, unit: Int) {
        self.layer = layer
        self.unit = unit
    }

    /// - Throws: `.name` where the mechanism has no such unit.
    func check(_ mechanism: Mechanism, of variable: Variable, isRoot: Bool) throws(EngineError) {
        let widths = isRoot ? [] : mechanism.hidden
        guard widths.indices.contains(layer) else {
            throw EngineError(.name, "scenario: hidden layer \(layer) of \(variable.name) does not exist, its mechanism (\(isRoot ? "without causes" : mechanism.name)) "
                + "has \(widths.count)")
        }
        guard (0..<widths[layer]).contains(unit) else {
            throw EngineError(.name, "scenario: unit \(unit) of hidden layer \(layer) of \(variable.name) does not exist, expected 0 to \(widths[layer] - 1)")
        }
    }
}

extension CompiledScenario {
    /// The hidden units of one variable that are set in some rows, and by which of its edits.
    ///
    /// - Parameter concerned: by edit, which of these rows.
    /// - Throws: `.value` where a unit is set twice in one row.
    func unitsSet(_ v: Int, _ rows: Range<Int>, _ concerned: [[Bool]]) throws(EngineError) -> (units: [SetUnit], edits: [Int]) {
        var found: [SetUnit] = [], places: [Int] = []
        for (k, edit) in edits[v].enumerated() {
            guard case .unit(let unit, let value) = edit.action else { continue }
            for other in found where other.layer == unit.layer && other.unit == unit.unit {
                guard let i = concerned[k].indices.first(where: { concerned[k][$0] && other.isSet[$0] }) else { continue }
                throw EngineError(.value, "scenario: unit \(unit.unit) of hidden layer \(unit.layer) is set twice in row \(rows.lowerBound + i)")
            }
            found.append(SetUnit(layer: unit.layer, unit: unit.unit, isSet: concerned[k], values: rows.map { value[$0] }))
            places.append(k)
        }
        return (found, places)
    }
}
