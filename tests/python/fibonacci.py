def fib(n):
    """The n-th number of the Fibonacci sequence."""
    one, next = 0, 1
    for _ in range(n):
        one, next = next, one + next
    return one
