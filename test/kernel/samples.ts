// Programs of kernel IR for tests, as text. In: nothing. Out: programs that pass the verifier. Holds: written as the printer writes them.

/** y = exp(x) / sum(exp(x)) per row, with a shared expression. */
export const softmax = `program softmax
dims B

feed 0 x: f32[B, 10]
output 0 y: f32[B, 10]

kernel softmax "softmax of rows"
  reads 40*B writes 40*B flops 30*B
  from "model.tdsl" 10..24 "loss/y"
  from "model.tdsl" 10..24 "loss/y" backward
{
  parallel for i in 0..B {
    acc top: f32 = f32(-inf)
    vector for j in 0..10 {
      top max= x[i, j]
    }
    acc total: f32 = f32(0)
    vector for k in 0..10 {
      total += exp(x[i, k] - top)
    }
    let scale = f32(1) / total
    vector for l in 0..10 {
      $1 = exp(x[i, l] - top)
      y[i, l] = $1 * scale + ($1 - $1)
    }
  }
}
`;

/** c = a · b in register tiles of 2 × 4, sizes not multiples of the tile. */
export const tiles = `program matmul
dims M

feed 0 a: f32[M, 5]
feed 1 b: f32[5, 6]
output 0 c: f32[M, 6]

kernel tiles "matmul M×5×6"
  reads 20*M + 120 writes 24*M flops 60*M
{
  parallel for block in 0..(M + 1) / 2 {
    for column in 0..2 {
      let width = min(4, 6 - column * 4)
      acc s: f32[2, 4] = f32(0)
      fetch own c[block * 2, column * 4]
      fetch later c[block * 2, column * 4]
      for k in 0..5 {
        unroll for r in 0..2 {
          let row = min(block * 2 + r, #(M - 1))
          vector for v in 0..width limit 4 least 2 {
            fetch b[k + 8, column * 4 + v]
            s[r, v] += a[row, k] * b[k, column * 4 + v]
          }
        }
      }
      unroll for q in 0..2 {
        if block * 2 + q < M {
          vector for w in 0..width limit 4 least 2 {
            c[block * 2 + q, column * 4 + w] = s[q, w]
          }
        }
      }
    }
  }
}
`;

/** Two temporaries with disjoint lifetimes in one slot, strides, an update in place, names that clash and need quotes. */
export const mixed = `program step
dims B, N

feed 0 x: f32[B, N]
feed 1 ids: i32[B]
variable 0 \`the weight\`: f32[N]
temporary t: f32[B, N] strides [N + 3, 1] in slot 0
temporary u: f64[B] in slot 1
temporary v: f32[N] in slot 2
temporary z: f32[N] in slot 0
output 0 n: i64[]
slot 0: 4*B*N + 12*B, 4*N
slot 1: 8*B
slot 2: 4*N

kernel first "t = x², u = row sums"
  reads 4*B*N writes 4*B*N flops 2*B*N
{
  for i in 0..B {
    acc s: f64 = f64(0)
    for x in 0..N {
      t[i, x] = @x[i, x] * @x[i, x]
      s += convert<f64>(t[i, x])
    }
    if ids[i] >= i32(0) {
      u[i] = s
    } else {
      u[i] = neg(s) + f64(-0)
    }
  }
}

kernel second "v"
  reads 4*B*N writes 4*N flops B*N
{
  for i in 0..N {
    acc s: f32 = f32(0)
    for k in 0..B {
      s += t[k, i]
    }
    v[i] = s
  }
}

kernel third "update"
  reads 8*N writes 4*N flops 2*N
{
  vector for i in 0..N {
    z[i] = f32(0.1) * v[i]
    \`the weight\`[i] = \`the weight\`[i] - z[i]
  }
  acc count: i64 = 5n
  for k in 0..B {
    count += convert<i64>(u[k] > f64(1e-8))
  }
  n[] = count
}
`;

/** Rows of 32 turned around in shared memory, where they come in two stages while others are used. */
export const blocks = `program blocks
dims N

feed 0 x: f32[N, 32]
output 0 y: f32[32, N]

kernel turn "x turned"
  reads 128*N writes 128*N flops 0
{
  parallel for p in 0..(N + 7) / 8 {
    share part: f32[2, 4, 36]
    vector for c in 0..32 limit 32 {
      copy 4 part[0, c / 8, c % 8 * 4] from x[p * 8 + c / 8, c % 8 * 4] if p * 8 + c / 8 < N
    }
    commit
    for s in 0..2 {
      let start = p * 8 + (s + 1) * 4
      vector for d in 0..32 limit 32 {
        copy 4 part[(s + 1) % 2, d / 8, d % 8 * 4] from x[start + d / 8, d % 8 * 4] if and(s < 1, start + d / 8 < N)
      }
      commit
      wait 1
      barrier
      vector for t in 0..32 limit 32 {
        unroll for r in 0..4 {
          if lanes p * 8 + s * 4 + r < N {
            y[t, p * 8 + s * 4 + r] = part[s, r, t]
          } else {
            let none = t
          }
        }
      }
      barrier
    }
    wait 0
  }
}
`;

/** Products of bf16 by the warps of a block, and sums of rows by one warp each. */
export const warps = `program warps
dims N

feed 0 x: bf16[32, 16]
feed 1 w: bf16[16, 64]
feed 2 rows: f32[N, 5]
output 0 y: f32[32, 64]
output 1 z: f32[N]

kernel product "x by w"
  reads 3072 writes 8192 flops 65536
{
  parallel for p in 0..1 {
    share left: bf16[32, 24]
    share right: bf16[16, 72]
    acc s: f32[2, 4, 256] = f32(0)
    vector for c in 0..64 limit 64 {
      copy 8 left[c / 2, c % 2 * 8] from x[c / 2, c % 2 * 8] if bool(1)
    }
    vector for d in 0..128 limit 128 {
      copy 8 right[d / 8, d % 8 * 8] from w[d / 8, d % 8 * 8] if bool(1)
    }
    commit
    wait 0
    barrier
    multiply q: s += depth left[q / 4 * 16, 0] * lines right[0, q % 4 * 16]
    vector for t in 0..256 limit 256 {
      let row = t / 128 * 16 + t % 32 / 4
      let column = t / 32 % 4 * 16 + t % 4 * 2
      unroll for i in 0..2 {
        unroll for j in 0..4 {
          y[row + i * 8, column + j / 2 * 8 + j % 2] = s[i, j, t]
        }
      }
    }
  }
}

kernel sums "rows"
  reads 20*N writes 4*N flops 5*N
{
  parallel for p in 0..(N + 7) / 8 blocks N {
    for r in 0..min(8, N - p * 8) part p warps {
      acc s: f32 = f32(0)
      vector for i in 0..5 {
        s += rows[p * 8 + r, i]
      }
      z[p * 8 + r] = s
    }
  }
}
`;

/** A product by one warp whose rows, cut off at their largest element, are multiplied once more without leaving registers. */
export const chained = `program chained

feed 0 x: bf16[16, 16]
feed 1 w: bf16[16, 16]
output 0 y: f32[16, 16]
output 1 z: f32[16]

kernel both "x by w by w"
  reads 1024 writes 1088 flops 16384
{
  parallel for p in 0..1 {
    share left: bf16[16, 24]
    share right: bf16[16, 24]
    acc s: f32[2, 4, 32] = f32(0)
    acc o: f32[2, 4, 32] = f32(0)
    acc top: f32[2, 32] = f32(-inf)
    vector for c in 0..32 limit 32 {
      copy 8 left[c / 2, c % 2 * 8] from x[c / 2, c % 2 * 8] if bool(1)
      copy 8 right[c / 2, c % 2 * 8] from w[c / 2, c % 2 * 8] if bool(1)
    }
    commit
    wait 0
    barrier
    multiply q: s += depth left[q, 0] * lines right[0, 0]
    vector for t in 0..32 limit 32 {
      unroll for i in 0..2 {
        unroll for j in 0..4 {
          top[i, t] max= s[i, j, t]
        }
      }
    }
    combine 4 top max=
    multiply r: o += sums s[0] * lines right[0, 0]
    vector for u in 0..32 limit 32 {
      unroll for k in 0..2 {
        if lanes u % 4 == 0 {
          z[u / 4 + k * 8] = top[k, u]
        }
        unroll for l in 0..4 {
          y[u / 4 + k * 8, u % 4 * 2 + l / 2 * 8 + l % 2] = o[k, l, u]
        }
      }
    }
  }
}
`;

/** A product by four warps together, whose stages come while the one before is still multiplied. */
export const groups = `program groups

feed 0 x: bf16[64, 256]
feed 1 w: bf16[256, 64]
output 0 y: f32[64, 64]

kernel product "x by w"
  reads 65536 writes 16384 flops 2097152
{
  parallel for p in 0..1 {
    acc s: f32[2, 16, 128] = f32(0)
    share left: bf16[3, 64, 64] swizzled
    share right: bf16[3, 1, 64, 64] swizzled
    vector for c in 0..512 limit 512 {
      copy 8 left[0, c / 8, c % 8 * 8] from x[c / 8, c % 8 * 8] if bool(1)
      copy 8 right[0, 0, c / 8, c % 8 * 8] from w[c / 8, c % 8 * 8] if bool(1)
    }
    commit
    for k in 0..4 {
      wait 0
      barrier
      unroll for e in 0..4 {
        multiply 4 q: s += depth left[k % 3, q * 64, e * 16] * lines right[k % 3, 0, e * 16, 0]
      }
      let next = k + 1
      vector for d in 0..512 limit 512 {
        copy 8 left[next % 3, d / 8, d % 8 * 8] from x[d / 8, next * 64 + d % 8 * 8] if next < 4
        copy 8 right[next % 3, 0, d / 8, d % 8 * 8] from w[next * 64 + d / 8, d % 8 * 8] if next < 4
      }
      commit
      settle 1
    }
    wait 0
    settle 0
    vector for t in 0..128 limit 128 {
      let row = t / 32 * 16 + t % 32 / 4
      unroll for i in 0..2 {
        unroll for j in 0..16 {
          y[row + i * 8, t % 4 * 2 + j / 2 * 8 + j % 2] = s[i, j, t]
        }
      }
    }
  }
}
`;

/** Loops that say how they run. */
export const scheduled = `program scheduled
dims N

feed 0 x: f32[N]
feed 1 square: f32[N, 32]
output 0 y: f32[N]
output 1 most: f32[2]
output 2 turned: f32[32, N]

kernel scale "y = 2x"
  reads 4*N writes 4*N flops N
{
  vector 16 interleave 4 jam for i in 0..N ahead 1024 of x {
    nontemporal y[i] = x[i] * f32(2)
  }
  vector 8 straight for j in 0..20 {
    y[j] = f32(2)
  }
}

kernel pieces "blocks of an axis"
  reads 4*N writes 4*N flops N
{
  parallel for p in 0..min(64, (N + 15) / 16) blocks N most 64 {
    let each = max(16, (N + 63) / 64)
    vector for q in 0..min(each, N - p * each) part p {
      y[p * each + q] = f32(3)
    }
  }
}

kernel chosen "loops that sizes leave out, or that say what they compute"
  reads 0 writes 4*N flops 2*N
{
  for p in 0..(N + 15) / 16 when not(N >= 64) blocks N most 4 flops 2*N {
    vector for q in 0..min(16, N - p * 16) part p {
      y[p * 16 + q] = f32(4)
    }
  }
}

kernel turn "transpose"
  reads 128*N writes 128*N flops 0
{
  for rows in 0..4 {
    vector 8 for o in 0..N {
      unroll transpose for c in 0..8 {
        turned[rows * 8 + c, o] = square[o, rows * 8 + c]
      }
    }
  }
}

kernel sums "sums"
  reads 4*N writes 8 flops N
{
  acc s: f32 = f32(0)
  acc t: f32[2] = f32(-inf)
  for k in 0..N partial s += 4 of 16, t max= 2 of 8 {
    vector 16 interleave 4 for l in 0..k {
      s += x[l]
    }
    vector 8 for m in 0..k {
      t[1] max= x[m]
    }
  }
  unroll rolled for n in 0..2 {
    most[n] = t[n] + s
  }
}
`;
