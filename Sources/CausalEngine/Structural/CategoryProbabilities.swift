public import CausalKernels
internal import Glibc

extension StructuralModel {
    /// P(variable = level | its parents), (rows, levels), for rows of all variables; one without causes has the shares that were seen. NaN in a row
    /// where a parent is missing.
    ///
    /// - Throws: `.value` for a real variable, or a value that a variable cannot have.
    public func probabilities(of variable: Int, _ values: Matrix<Double>, member: Int) throws(EngineError) -> Matrix<Double> {
        let levels = try levels(of: variable)
        var result = try Matrix<Double>(rows: values.rows, columns: levels, repeating: 0)
        try values.withView { values throws(EngineError) in
            try result.withMutableView { result throws(EngineError) in try probabilities(of: variable, values, member: member, into: result) }
        }
        return result
    }

    package func probabilities(of variable: Int, _ values: MatrixView<Double>, member: Int, into result: MutableMatrixView<Double>) throws(EngineError) {
        let levels = try levels(of: variable), mechanism = mechanisms[variable]
        try check(member: member)
        try expect(values.columns, "probabilities: the rows")
        guard result.rows == values.rows, result.columns == levels else {
            throw EngineError(.shape, "probabilities: an answer of shape \(result.shape), expected (\(values.rows), \(levels))")
        }
        try checkAllowed(values, "probabilities")
        if mechanism.isRoot {
            let seen = mechanism.residuals[member].buffer.filter(\.isFinite)
            var shares = [Double](repeating: 0, count: levels)
            for value in seen { shares[Int(value)] += 1 / Double(seen.count) }
            for row in 0..<result.rows {
                for level in 0..<levels { result.pointer[row * levels + level] = shares[level] }
            }
            return
        }
        try mechanisms.forEachChunk(of: 0..<values.rows) { rows throws(EngineError) in
            try withColumns(variables.count + levels, rows: rows.count, Double.self) { columns throws(EngineError) in
                columns.read(values, from: rows.lowerBound)
                try mechanism.heads(columns, member: member, into: columns.from(variables.count))
                columns.from(variables.count).write(to: result, from: rows.lowerBound)
            }
            for row in rows {
                let head = result.pointer + row * levels
                var top = -Double.infinity, sum = 0.0
                for k in 0..<levels { top = max(top, head[k]) }
                for k in 0..<levels {
                    head[k] = exp(head[k] - top)
                    sum += head[k]
                }
                for k in 0..<levels { head[k] /= sum }
            }
        }
    }

    private func levels(of variable: Int) throws(EngineError) -> Int {
        guard variables.indices.contains(variable) else {
            throw EngineError(.name, "probabilities: variable \(UInt(bitPattern: variable)) does not exist, expected 0 to \(variables.count - 1)")
        }
        guard case .categorical(let levels) = variables[variable].kind else {
            throw EngineError(.value, "probabilities: \(variables[variable].name) is real, expected a categorical variable")
        }
        return levels
    }
}
