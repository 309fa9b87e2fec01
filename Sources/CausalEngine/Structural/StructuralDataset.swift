public import CausalKernels

/// Rows to learn a structural model from: one column a variable, in its own units. A variable that is missing in a row is NaN there; one that
/// do() set is marked, and has the value that it was set to.
public struct StructuralDataset: Sendable {
    public let rows: Int
    public let columns: Int
    let values: Storage<Double>
    /// Nil where nothing was set.
    let isSet: Storage<UInt8>?
    /// Which rows are counterfactuals of which; nil where none is.
    private(set) var twins: Twins?

    /// - Parameters:
    ///   - isSet: one entry a number, row-major.
    ///   - twins: by row, the number of the row of which it is the counterfactual: of the same unit, with the same noise, under other interventions. Nil
    ///     for a row that is none.
    public init(_ values: Matrix<Double>, isSet: [Bool]? = nil, twins: [Int?]? = nil) throws(EngineError) {
        let twins = try twins.map { numbers throws(EngineError) in try Twins(numbers.map { $0 ?? -1 }) }
        self = try values.withView { values throws(EngineError) in
            guard let isSet else { return try StructuralDataset(values, isSet: nil, twins: twins) }
            guard isSet.count == values.count else {
                throw EngineError(.shape, "structural data: \(isSet.count) marks of what was set, expected \(values.count), one a number")
            }
            return try isSet.map { $0 ? 1 as UInt8 : 0 }.withUnsafeBufferPointer { marks throws(EngineError) in
                try StructuralDataset(values, isSet: MatrixView(marks.baseAddress ?? emptyAddress(), rows: values.rows, columns: values.columns), twins: twins)
            }
        }
    }

    /// Copies both matrices.
    package init(_ values: MatrixView<Double>, isSet: MatrixView<UInt8>?, twins: Twins? = nil) throws(EngineError) {
        guard twins.map({ $0.unit.count == values.rows }) ?? true else {
            throw EngineError(.shape, "structural data: twins of \(twins!.unit.count) rows, expected \(values.rows)")
        }
        self.twins = twins
        rows = values.rows
        columns = values.columns
        self.values = try Storage(copying: UnsafeBufferPointer(start: values.pointer, count: values.count), of: "structural data")
        self.isSet = try isSet.map { marks throws(EngineError) in
            try Storage(copying: UnsafeBufferPointer(start: marks.pointer, count: marks.count), of: "structural data")
        }
    }

    /// Some of the rows, in any order, with repetitions, and no matter who is the twin of whom.
    func rows(_ chosen: [Int]) throws(EngineError) -> StructuralDataset {
        let values = try Storage<Double>(count: chosen.count * columns, of: "structural data")
        let isSet = try isSet.map { _ throws(EngineError) in try Storage<UInt8>(count: chosen.count * columns, of: "structural data") }
        for (i, row) in chosen.enumerated() {
            (values.pointer + i * columns).update(from: self.values.pointer + row * columns, count: columns)
            if let isSet { (isSet.pointer + i * columns).update(from: self.isSet!.pointer + row * columns, count: columns) }
        }
        return StructuralDataset(rows: chosen.count, columns: columns, values: values, isSet: isSet)
    }

    /// Some of the columns, in any order.
    func columns(_ chosen: [Int]) throws(EngineError) -> StructuralDataset {
        let values = try Storage<Double>(count: rows * chosen.count, of: "structural data")
        let isSet = try isSet.map { _ throws(EngineError) in try Storage<UInt8>(count: rows * chosen.count, of: "structural data") }
        for row in 0..<rows {
            for (k, column) in chosen.enumerated() {
                values.pointer[row * chosen.count + k] = value(row, column)
                if let isSet { isSet.pointer[row * chosen.count + k] = self.isSet(row, column) ? 1 : 0 }
            }
        }
        return StructuralDataset(rows: rows, columns: chosen.count, values: values, isSet: isSet)
    }

    /// Each variable as several columns, which `fill` makes of its values; and which they are.
    func widened(_ widths: [Int], fill: (_ variable: Int, _ value: Double, _ columns: UnsafeMutablePointer<Double>) -> Void) throws(EngineError)
        -> (StructuralDataset, [[Int]]) {
        var places: [[Int]] = [], width = 0
        for own in widths {
            places.append(Array(width..<width + own))
            width += own
        }
        let values = try Storage<Double>(count: checkedSize(rows, width, of: "structural data"), of: "structural data")
        let isSet = try isSet.map { _ throws(EngineError) in try Storage<UInt8>(count: rows * width, of: "structural data") }
        for row in 0..<rows {
            for v in 0..<columns {
                fill(v, value(row, v), values.pointer + row * width + places[v][0])
                if let isSet { for column in places[v] { isSet.pointer[row * width + column] = self.isSet(row, v) ? 1 : 0 } }
            }
        }
        return (StructuralDataset(rows: rows, columns: width, values: values, isSet: isSet), places)
    }

    private init(rows: Int, columns: Int, values: Storage<Double>, isSet: Storage<UInt8>?) {
        self.rows = rows
        self.columns = columns
        self.values = values
        self.isSet = isSet
    }

    func value(_ row: Int, _ variable: Int) -> Double { values.pointer[row * columns + variable] }
    func isSet(_ row: Int, _ variable: Int) -> Bool { isSet.map { $0.pointer[row * columns + variable] != 0 } ?? false }

    var view: MatrixView<Double> { MatrixView(values.pointer, rows: rows, columns: columns) }
    var setView: MatrixView<UInt8>? { isSet.map { MatrixView($0.pointer, rows: rows, columns: columns) } }

    /// The rows from which a variable's mechanism can learn: it is known and was not set, and its parents are known.
    func rowsFor(_ variable: Int, parents: [Int]) -> [Int] { (0..<rows).filter { tells(of: variable, parents: parents, row: $0) } }

    /// Whether there is any.
    func hasRowsFor(_ variable: Int, parents: [Int]) -> Bool { (0..<rows).contains { tells(of: variable, parents: parents, row: $0) } }

    private func tells(of variable: Int, parents: [Int], row: Int) -> Bool {
        value(row, variable).isFinite && !isSet(row, variable) && parents.allSatisfy { value(row, $0).isFinite }
    }

    /// Whether a mechanism can learn from a row and its counterfactual.
    func hasTwinsFor(_ variable: Int, parents: [Int]) -> Bool {
        guard let twins else { return false }
        var isUsable = [Bool](repeating: false, count: rows)
        for row in rowsFor(variable, parents: parents) { isUsable[row] = true }
        return (0..<rows).contains { twins.factual.pointer[$0] >= 0 && isUsable[$0] && isUsable[twins.factual.pointer[$0]] }
    }

    /// The first row of the unit that a row belongs to.
    func unit(_ row: Int) -> Int { twins?.unit[row] ?? row }

    /// Of a variable's values, without those that do() set where there are others.
    func standardisation(of variable: Int) -> Standardisation {
        let own = (0..<rows).filter { !isSet($0, variable) }.map { value($0, variable) }
        return Standardisation(own.contains(where: \.isFinite) ? own : (0..<rows).map { value($0, variable) })
    }

    /// - Throws: `.value` for a real variable whose values vary by more, or by less, than a number can tell.
    func checkSpread(of variable: Int, _ name: String, in what: String = "structural data") throws(EngineError) {
        let known = (0..<rows).map { value($0, variable) }.filter(\.isFinite)
        guard let lowest = known.min(), let highest = known.max(), lowest < highest else { return }
        let scale = standardisation(of: variable)
        guard scale.mean.isFinite, (highest - lowest).isFinite, scale.isOfSpread else {
            throw EngineError(.value, "\(what): \(name) has a spread too large or too small for a number (values from \(lowest) to \(highest)), "
                + "expected other units")
        }
    }

    /// Whether do() set a variable wherever it is known.
    func isAlwaysSet(_ variable: Int) -> Bool {
        isSet != nil && (0..<rows).allSatisfy { isSet($0, variable) || value($0, variable).isNaN }
    }

    /// The same without the marks at some variables.
    func unmarking(_ variables: [Int]) throws(EngineError) -> StructuralDataset {
        guard !variables.isEmpty else { return self }
        var copy = try rows(Array(0..<rows))
        copy.twins = twins
        for row in 0..<rows {
            for variable in variables { copy.isSet?.pointer[row * columns + variable] = 0 }
        }
        return copy
    }

    /// The same with more marks, where `isSetToo` says so.
    func marking(_ isSetToo: (_ row: Int, _ variable: Int) -> Bool) throws(EngineError) -> StructuralDataset {
        let marks = try Storage<UInt8>(count: rows * columns, of: "structural data")
        for row in 0..<rows {
            for variable in 0..<columns { marks.pointer[row * columns + variable] = isSet(row, variable) || isSetToo(row, variable) ? 1 : 0 }
        }
        return StructuralDataset(rows: rows, columns: columns, values: values, isSet: marks)
    }

    /// - Throws: `.shape` where it does not fit the variables; `.value` for a number that a variable cannot be, naming row and column.
    func check(_ variables: [Variable]) throws(EngineError) {
        guard columns == variables.count else {
            throw EngineError(.shape, "structural data: \(columns) columns, expected \(variables.count), one a variable")
        }
        guard rows > 0 else { throw EngineError(.shape, "structural data: no rows, expected at least one") }
        for row in 0..<rows {
            for (v, variable) in variables.enumerated() {
                let value = value(row, v)
                guard value.isNaN || variable.allows(value) else {
                    throw EngineError(.value, "structural data: \(variable.name) is \(value) in row \(row), expected \(variable.expectation), or NaN where it is missing")
                }
                guard !(value.isNaN && isSet(row, v)) else {
                    throw EngineError(.value, "structural data: \(variable.name) was set in row \(row), but to what is missing")
                }
            }
        }
    }
}
